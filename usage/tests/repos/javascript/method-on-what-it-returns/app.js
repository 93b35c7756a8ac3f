const _ = require('lodash');

function go(w) {
  return w.template();
}

go(_.chain('x'));
