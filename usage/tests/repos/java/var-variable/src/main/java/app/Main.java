package app;

import org.yaml.snakeyaml.Yaml;

class Main {
    public static void main(String[] args) {
        var y = new Yaml();
        y.load("a: 1");
    }
}
