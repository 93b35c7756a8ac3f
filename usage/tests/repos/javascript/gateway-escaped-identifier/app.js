\u0065val(text);
