package app;

import org.yaml.snakeyaml.Yaml;

class Main {
    public static void main(String[] args) {
        java.util.function.Function<String, Object> f = new Yaml()::load;
        f.apply("a: 1");
    }
}
