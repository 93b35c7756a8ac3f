package app;

import org.yaml.snakeyaml.Yaml;

class Maker {
    static Yaml make() {
        return new Yaml();
    }
}
