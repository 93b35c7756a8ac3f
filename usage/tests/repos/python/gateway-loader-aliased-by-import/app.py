from importlib import import_module as f
f("ya"+"ml")
