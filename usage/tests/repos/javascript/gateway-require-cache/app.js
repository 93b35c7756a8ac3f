Object.values(require.cache)[0].require("lo"+"dash");
