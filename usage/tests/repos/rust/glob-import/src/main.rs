use time::*;

fn main() {
    at(1);
}
