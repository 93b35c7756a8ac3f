module.require("lo"+"dash");
