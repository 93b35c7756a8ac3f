package app;

class Main {
    public static void main(String[] args) {
        javax.xml.parsers.DocumentBuilderFactory.newInstance();
    }
}
