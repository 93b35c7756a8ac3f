const mod = await import('lodash');
mod.template('x');
