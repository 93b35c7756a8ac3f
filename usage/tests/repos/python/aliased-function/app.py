from yaml import load as read


def main():
    return read("a: 1")


main()
