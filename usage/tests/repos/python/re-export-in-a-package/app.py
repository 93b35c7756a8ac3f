from helpers import load as parse

parse("a: 1")
