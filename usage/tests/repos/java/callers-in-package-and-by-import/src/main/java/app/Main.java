package app;

import app.util.Text;

class Main {
    public static void main(String[] args) {
        new Text();
    }
}
