globalThis["ev"+"al"](s);
