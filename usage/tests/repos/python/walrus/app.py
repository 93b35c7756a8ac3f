import yaml

if (y := yaml):
    y.load("a: 1")
