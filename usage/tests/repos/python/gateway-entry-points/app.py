from importlib.metadata import entry_points
[e.load() for e in entry_points()]
