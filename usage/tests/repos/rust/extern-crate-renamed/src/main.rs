extern crate time as clock;

fn main() {
    clock::at(1);
}
