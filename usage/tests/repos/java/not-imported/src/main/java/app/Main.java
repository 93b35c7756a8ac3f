package app;

class Main {
    public static void main(String[] args) {
        // new Yaml().load("a: 1")
        System.out.println("none");
    }
}
