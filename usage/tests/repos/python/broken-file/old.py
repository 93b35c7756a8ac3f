import yaml
def f(:
  yaml.load(
