package app;

import org.yaml.snakeyaml.Yaml;

class Main {
    public static void main(String[] args) {
        Yaml yaml = new Yaml();
        yaml.load("a: 1");
    }
}
