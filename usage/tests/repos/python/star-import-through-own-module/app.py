from base import *

load("a: 1")
