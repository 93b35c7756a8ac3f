// const _ = require('lodash');
console.log('we no longer need it');
