package app;

import static org.apache.commons.text.StringEscapeUtils.escapeJava;

class Main {
    public static void main(String[] args) {
        escapeJava("x");
    }
}
