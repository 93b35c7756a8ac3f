import yaml


def read(text, backend=yaml):
    return backend.load(text)


read("a: 1")
