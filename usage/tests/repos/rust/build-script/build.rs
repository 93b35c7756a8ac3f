fn main() {
    cc::Build::new().file("a.c").compile("a");
}
