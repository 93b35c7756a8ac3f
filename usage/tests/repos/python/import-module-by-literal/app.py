from importlib import import_module

settings = import_module("yaml")
settings.load("a: 1")
