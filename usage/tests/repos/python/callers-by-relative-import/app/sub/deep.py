from .. import util

util.f()
