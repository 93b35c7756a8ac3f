package app.util;

class Near {
    Text text;
}
