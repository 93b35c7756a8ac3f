package app;

import java.io.ObjectInputStream;

public class Main {
    public static void main(String[] args) throws Exception {
        new ObjectInputStream(System.in).readObject();
    }
}
