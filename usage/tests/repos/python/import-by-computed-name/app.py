import importlib

name = "ya" + "ml"
module = importlib.import_module(name)
module.load("a: 1")
