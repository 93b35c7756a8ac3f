import yaml

yaml.safe_load("a: 1")
eval("ya" + "ml.lo" + "ad(1)")
