mod prelude;
use crate::prelude::*;

fn main() {
    at(1);
}
