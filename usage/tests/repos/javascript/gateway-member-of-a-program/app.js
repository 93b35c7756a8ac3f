const cp = require("node:child_process");
cp[how]("lo" + "dash");
