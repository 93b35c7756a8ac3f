package app;

import org.yaml.snakeyaml.Yaml;

class Main {
    public static void main(String[] args) {
        java.util.List<Yaml> all = java.util.List.of(new Yaml());
        all.get(0).load("a: 1");
    }
}
