package app;

class Main {
    public static void main(String[] args) {
        Maker.make().load("a: 1");
    }
}
