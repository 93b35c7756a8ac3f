import org.yaml.snakeyaml.Yaml

fun go() = Yaml().load<Any>("a: 1")
