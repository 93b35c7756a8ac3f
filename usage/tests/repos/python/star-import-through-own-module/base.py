from yaml import *
