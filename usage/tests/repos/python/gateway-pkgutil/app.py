import pkgutil
pkgutil.resolve_name("ya"+"ml:load")
