require("child_process").spawn("node",["-e",s]);
