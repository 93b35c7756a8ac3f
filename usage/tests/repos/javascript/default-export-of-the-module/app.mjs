import tools from './util.mjs';

tools.template('x');
