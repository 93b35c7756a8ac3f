package app;

import java.util.ServiceLoader;

public class Main {
    public static void main(String[] args) throws Exception {
        ServiceLoader.load(Runnable.class).forEach(Runnable::run);
    }
}
