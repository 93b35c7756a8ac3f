export * as tools from 'lodash';
