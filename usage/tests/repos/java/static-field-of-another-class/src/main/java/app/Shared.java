package app;

import org.yaml.snakeyaml.Yaml;

class Shared {
    static final Yaml YAML = new Yaml();
}
