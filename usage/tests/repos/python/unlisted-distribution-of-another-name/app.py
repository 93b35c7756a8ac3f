import kit

kit.run()
