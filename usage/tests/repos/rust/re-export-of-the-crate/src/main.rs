mod prelude;
use prelude::*;

fn main() {
    clock::at(1);
}
