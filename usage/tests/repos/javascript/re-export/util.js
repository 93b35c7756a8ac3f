export { template } from 'lodash';
