import { tools } from './util';

tools.template('x');
