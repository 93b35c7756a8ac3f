import { createRequire } from 'node:module';

const load = createRequire(import.meta.url);
load('lodash').template('x');
