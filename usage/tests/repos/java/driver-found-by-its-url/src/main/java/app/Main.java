package app;

class Main {
    public static void main(String[] args) {
        java.sql.DriverManager.getConnection("jdbc:h2:mem:");
    }
}
