import lo = require('lodash');

lo.template('x');
