#[test]
fn it() {
    time::at(1);
}
