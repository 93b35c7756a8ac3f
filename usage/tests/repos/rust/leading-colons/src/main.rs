fn main() {
    ::time::at(1);
}
