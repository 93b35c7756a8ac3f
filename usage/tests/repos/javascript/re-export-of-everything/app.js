import { template } from './util.js';

template('x');
