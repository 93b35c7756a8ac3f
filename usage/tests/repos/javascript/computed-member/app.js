const _ = require('lodash');

const how = process.argv[2];
_[how]('x');
