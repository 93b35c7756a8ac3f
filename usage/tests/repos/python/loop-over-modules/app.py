import json
import yaml

for module in (json, yaml):
    module.load("a: 1")
