#[cfg(feature = "clock")]
fn moment() {
    time::at(1);
}

fn main() {
    #[cfg(feature = "clock")]
    moment();
}
