package app;

import org.yaml.snakeyaml.Yaml;

class Main {
    public static void main(String[] args) {
        java.util.stream.Stream.of(new Yaml()).forEach(y -> y.load("a: 1"));
    }
}
