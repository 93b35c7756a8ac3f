from .util import f

f()
