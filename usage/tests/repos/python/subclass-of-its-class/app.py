import yaml


class Mine(yaml.Loader):
    pass


Mine("a: 1").get_single_data()
