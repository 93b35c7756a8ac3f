const _ = require('lodash');

_['template']('x');
