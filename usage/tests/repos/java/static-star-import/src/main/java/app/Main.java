package app;

import static org.apache.commons.text.StringEscapeUtils.*;

class Main {
    public static void main(String[] args) {
        escapeJava("x");
    }
}
