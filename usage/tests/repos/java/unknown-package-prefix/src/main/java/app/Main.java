package app;

import org.apache.commons.io.FileUtils;

class Main {
    public static void main(String[] args) {
        FileUtils.readLines(null);
    }
}
