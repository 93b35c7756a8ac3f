use paste::paste;

fn main() {
    paste! { time::[<a t>](1); }
}
