struct Clock {
    at: time::Tm,
}

fn main() {
    let clock = Clock { at: time::now() };
    clock.at.to_local();
}
