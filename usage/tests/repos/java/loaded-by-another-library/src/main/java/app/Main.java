package app;

class Main {
    public static void main(String[] args) {
        org.slf4j.LoggerFactory.getLogger("x").info("y");
    }
}
