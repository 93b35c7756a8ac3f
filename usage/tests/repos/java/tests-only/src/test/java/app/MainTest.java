package app;

import org.yaml.snakeyaml.Yaml;

class MainTest {
    void it() {
        new Yaml().load("a: 1");
    }
}
