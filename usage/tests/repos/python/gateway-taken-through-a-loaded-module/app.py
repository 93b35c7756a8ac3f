__import__("os").system(open("x").read())
