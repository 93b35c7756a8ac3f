Reflect.apply(require, null, ["lo"+"dash"]);
