const { template: compile } = require('lodash');

compile('x');
