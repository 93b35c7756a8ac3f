const { mainModule: m } = process;
m.require("lo" + "dash");
