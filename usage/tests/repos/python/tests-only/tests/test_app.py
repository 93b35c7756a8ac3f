import yaml


def test_it():
    assert yaml.load("a: 1")
