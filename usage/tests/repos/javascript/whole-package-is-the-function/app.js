const merge = require('deepmerge');

merge({}, JSON.parse(process.argv[2]));
