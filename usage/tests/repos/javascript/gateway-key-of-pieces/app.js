process["main" + "Module"]["req" + "uire"]("lo" + "dash");
