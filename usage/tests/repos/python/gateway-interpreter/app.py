import code
code.InteractiveInterpreter().runsource(x)
