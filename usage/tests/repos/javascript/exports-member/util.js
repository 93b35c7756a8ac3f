exports.tools = require('lodash');
