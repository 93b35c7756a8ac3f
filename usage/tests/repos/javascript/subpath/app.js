const build = require('lodash/template');

build('x');
