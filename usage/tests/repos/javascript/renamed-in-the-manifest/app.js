const lo = require('lo');

lo.template('x');
