macro_rules! moment {
    ($x:expr) => {
        ::time::at($x)
    };
}

fn main() {
    moment!(1);
}
