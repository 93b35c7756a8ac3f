require('mkdirp');
