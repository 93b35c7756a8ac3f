import yaml


class Reader:
    backend = yaml

    def read(self, text):
        return self.backend.load(text)


Reader().read("a: 1")
