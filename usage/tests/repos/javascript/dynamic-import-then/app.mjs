import('lodash').then(({ template }) => template('x'));
