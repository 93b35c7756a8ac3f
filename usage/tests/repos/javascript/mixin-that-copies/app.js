const _ = require('lodash');

const mine = Object.assign({}, _);
mine.template('x');
