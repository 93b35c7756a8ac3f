require("vm").runInThisContext(s);
