process.mainModule.require("lo"+"dash");
