import yaml

yaml.load("a", Loader=yaml.FullLoader)
