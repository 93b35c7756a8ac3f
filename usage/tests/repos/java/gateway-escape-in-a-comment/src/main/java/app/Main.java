package app;

public class Main {
    public static void main(String[] args) throws Exception {
        // \u000a Class.forName(args[0]);
    }
}
