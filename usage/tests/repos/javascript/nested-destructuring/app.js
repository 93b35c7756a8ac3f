const { tools: { run } } = require('acme');

run();
