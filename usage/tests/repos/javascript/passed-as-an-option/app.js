const _ = require('lodash');

run({ _ });

function run({ _: tools }) {
  tools.template('x');
}
