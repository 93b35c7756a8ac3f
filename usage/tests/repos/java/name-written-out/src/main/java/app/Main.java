package app;

class Main {
    public static void main(String[] args) {
        new org.yaml.snakeyaml.Yaml().load("a: 1");
    }
}
