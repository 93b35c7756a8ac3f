import _ from 'lodash';

export function page() {
  return _.template('x');
}
