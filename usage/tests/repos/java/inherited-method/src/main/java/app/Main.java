package app;

import org.yaml.snakeyaml.Yaml;

class Main extends Yaml {
    void go() {
        load("a: 1");
    }
}
