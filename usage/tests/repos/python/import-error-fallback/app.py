try:
    from yaml import load
except ImportError:
    load = None

if load:
    load("a: 1")
