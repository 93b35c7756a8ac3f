use time::at;

mod inner {
    pub fn go() {
        super::at(1);
    }
}

fn main() {
    inner::go();
}
