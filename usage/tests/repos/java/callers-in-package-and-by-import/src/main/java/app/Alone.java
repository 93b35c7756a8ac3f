package app;

class Alone {
}
