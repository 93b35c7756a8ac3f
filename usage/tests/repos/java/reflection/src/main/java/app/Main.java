package app;

class Main {
    public static void main(String[] args) {
        Class.forName("org.yaml." + args[0]).getDeclaredConstructor().newInstance();
    }
}
