from yaml import *

load("a: 1")
