def read(text):
    import yaml

    return yaml.load(text)


def main():
    read("a: 1")


main()
