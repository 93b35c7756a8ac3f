import * as lo from 'lodash';

lo.template('x');
