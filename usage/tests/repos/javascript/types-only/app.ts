import type { Dictionary } from 'lodash';

export const x: Dictionary<number> = {};
