module.constructor._load("lo"+"dash");
