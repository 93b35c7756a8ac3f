fn main() {
    let f = time::at;
    [1].into_iter().map(f).count();
}
