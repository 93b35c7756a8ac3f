import shelve
shelve.open("x")["a"]
