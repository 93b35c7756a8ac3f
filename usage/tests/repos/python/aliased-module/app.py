import yaml as y

loader = y
print(loader.load("a: 1"))
