import { template } from 'lodash';

enum Kind {
  A = 'a',
}

class P {
  make = (k: Kind) => template(k);
}

new P().make(Kind.A);
