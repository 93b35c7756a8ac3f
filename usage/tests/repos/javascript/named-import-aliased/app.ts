import { template as t } from 'lodash';

t('x');
