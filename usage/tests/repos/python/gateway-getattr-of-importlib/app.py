import importlib
getattr(importlib, "import"+"_module")("ya"+"ml")
