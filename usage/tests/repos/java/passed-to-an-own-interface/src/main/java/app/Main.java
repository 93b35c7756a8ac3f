package app;

import org.yaml.snakeyaml.Yaml;
import java.util.function.Function;

class Main {
    static void go(Function<String, Object> f) {
        f.apply("a: 1");
    }

    public static void main(String[] args) {
        go(new Yaml()::load);
    }
}
