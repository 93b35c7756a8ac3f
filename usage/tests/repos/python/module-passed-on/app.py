import yaml


class Reader:
    def __init__(self, backend):
        self.backend = backend

    def read(self, text):
        return self.backend.load(text)


Reader(yaml).read("a: 1")
