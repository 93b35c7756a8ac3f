const _ = require('lodash');

_.map([1], (x) => x);
