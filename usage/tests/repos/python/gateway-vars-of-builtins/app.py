import builtins
f = vars(builtins)["__imp"+"ort__"]
f("ya"+"ml")
