from base import *

yaml.load("a: 1")
