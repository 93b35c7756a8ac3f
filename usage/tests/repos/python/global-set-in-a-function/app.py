reader = None


def init():
    global reader
    import yaml
    reader = yaml


def read(text):
    return reader.load(text)


init()
read("a: 1")
