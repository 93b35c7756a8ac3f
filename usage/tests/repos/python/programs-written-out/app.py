import importlib
import os
import subprocess
import sys
import types

importlib.import_module("json")
try:
    subprocess.run(["git", "log", sys.argv[1]], check=True, stdout=subprocess.PIPE)
    subprocess.check_output("git status", shell=True)
except subprocess.CalledProcessError as e:
    sys.exit(e.returncode)
os.makedirs(os.path.join("a", "b"))
print(isinstance(print, types.FunctionType), getattr(sys, "frozen", False))
