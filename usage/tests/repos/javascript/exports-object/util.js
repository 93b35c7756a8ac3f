const _ = require('lodash');

module.exports = { tools: _ };
