package app;

import org.yaml.snakeyaml.LoaderOptions;

class Main {
    public static void main(String[] args) {
        LoaderOptions.check();
    }
}
