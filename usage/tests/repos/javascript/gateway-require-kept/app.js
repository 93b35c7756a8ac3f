const r = require; r("lo"+"dash");
