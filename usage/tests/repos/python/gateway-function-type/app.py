import types

types.FunctionType(make(), {})()
