export { default as tools } from 'lodash';
