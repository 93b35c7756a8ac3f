import importlib

f = importlib.import_module
f("ya" + "ml")
