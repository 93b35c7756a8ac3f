const { a } = require('./lib/index.js');

console.log(a);
