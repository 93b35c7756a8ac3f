const _ = require('lodash');

function f(_) {
  return _.template('x');
}

f({ template() {} });
_.map([], (x) => x);
