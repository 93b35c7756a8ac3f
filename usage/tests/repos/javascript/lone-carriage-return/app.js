// arequire("lodash");
