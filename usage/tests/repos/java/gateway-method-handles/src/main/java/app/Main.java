package app;

import java.lang.invoke.MethodHandles;

public class Main {
    public static void main(String[] args) throws Exception {
        MethodHandles.lookup().findClass(args[0]);
    }
}
