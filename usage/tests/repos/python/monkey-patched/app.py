import yaml

old = yaml.safe_load
yaml.safe_load = yaml.load
yaml.safe_load("a: 1")
