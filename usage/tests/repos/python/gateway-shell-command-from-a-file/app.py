import os
os.system(open("cmd").read())
