fn main() {
    chronos::at(1);
}
