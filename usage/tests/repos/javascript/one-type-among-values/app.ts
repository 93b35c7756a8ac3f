import { type Dictionary, map } from 'lodash';

const d: Dictionary<number> = {};
map(d, (x) => x);
