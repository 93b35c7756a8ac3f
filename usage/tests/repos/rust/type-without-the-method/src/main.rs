fn main() {
    time::now();
}
