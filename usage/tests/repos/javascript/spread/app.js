const _ = require('lodash');

const tools = { ..._ };
tools.template('x');
