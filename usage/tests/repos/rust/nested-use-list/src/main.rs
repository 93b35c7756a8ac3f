use time::{self as t, Duration};

fn main() {
    let _ = Duration::seconds(1);
    t::at(1);
}
