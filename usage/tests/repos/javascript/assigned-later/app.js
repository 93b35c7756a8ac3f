let compile;
function init() {
  compile = require('lodash').template;
}
init();
compile('x');
