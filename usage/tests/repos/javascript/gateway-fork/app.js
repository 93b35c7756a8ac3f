require("child_process").fork("./x."+"txt");
