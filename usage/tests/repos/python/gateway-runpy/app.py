import runpy
runpy.run_module("y"+"aml")
