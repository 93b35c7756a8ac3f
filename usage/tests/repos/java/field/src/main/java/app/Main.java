package app;

import org.yaml.snakeyaml.Yaml;

class Main {
    private final Yaml yaml = new Yaml();

    void go() {
        this.yaml.load("a: 1");
    }

    public static void main(String[] args) {
        new Main().go();
    }
}
