import _ from 'lodash';

(_ as any).template('x');
