package app;

import org.yaml.snakeyaml.Yaml;

class Main {
    record Box<T>(T held) {}

    public static void main(String[] args) {
        new Box<Yaml>(new Yaml()).held.load("a: 1");
    }
}
