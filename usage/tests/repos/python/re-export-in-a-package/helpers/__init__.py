from yaml import load
