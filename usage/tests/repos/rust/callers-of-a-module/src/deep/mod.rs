pub fn go() {
    crate::clock::now();
}
