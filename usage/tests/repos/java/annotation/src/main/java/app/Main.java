package app;

import com.acme.rules.Checked;

@Checked
class Main {
    public static void main(String[] args) {
        System.out.println("x");
    }
}
