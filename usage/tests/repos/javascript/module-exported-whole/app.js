const u = require('./util');

u.template('x');
