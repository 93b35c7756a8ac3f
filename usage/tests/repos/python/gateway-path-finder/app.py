import importlib.machinery as m
m.PathFinder.find_spec("ya"+"ml").loader.load_module()
