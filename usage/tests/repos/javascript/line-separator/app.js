// a require("lodash");
