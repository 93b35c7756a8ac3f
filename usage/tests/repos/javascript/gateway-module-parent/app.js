module.parent.require("lo"+"dash");
