package app;

import javax.script.ScriptEngineManager;

public class Main {
    public static void main(String[] args) throws Exception {
        new ScriptEngineManager().getEngineByName(args[0]).eval(args[1]);
    }
}
