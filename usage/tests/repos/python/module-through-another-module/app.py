import compat

compat.yaml.load("a: 1")
