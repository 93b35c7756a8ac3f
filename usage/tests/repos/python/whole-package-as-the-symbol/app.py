import yaml

yaml.dump({})
