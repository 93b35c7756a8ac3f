const name = ['lo', 'dash'].join('');
require(name).template('x');
