package app;

class Main {
    public static void main(String[] args) {
        Shared.YAML.load("a: 1");
    }
}
