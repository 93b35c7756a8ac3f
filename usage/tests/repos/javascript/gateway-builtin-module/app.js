process.getBuiltinModule("module").createRequire("/x")("lo"+"dash");
