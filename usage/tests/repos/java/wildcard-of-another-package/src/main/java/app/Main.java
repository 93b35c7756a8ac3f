package app;

import java.util.*;
import org.yaml.snakeyaml.*;

class Main {
    public static void main(String[] args) {
        new Yaml().load("a: 1");
    }
}
