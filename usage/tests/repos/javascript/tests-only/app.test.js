const _ = require('lodash');

test('x', () => _.template('x'));
