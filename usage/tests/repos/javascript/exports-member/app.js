const u = require('./util');

u.tools.template('x');
