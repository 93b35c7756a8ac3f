pub fn at(x: u8) {
    ::time::at(x);
}
