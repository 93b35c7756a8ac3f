const { tools } = require('./util');

tools.template('x');
