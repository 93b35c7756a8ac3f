import yaml


def read(how, text):
    return getattr(yaml, how)(text)


read("load", "a: 1")
