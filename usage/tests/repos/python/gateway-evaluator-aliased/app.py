e = eval
e(open("x").read())
