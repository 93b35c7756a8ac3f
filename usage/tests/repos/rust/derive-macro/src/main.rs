#[derive(zeroize_derive::Zeroize)]
struct Key(u8);

fn main() {
    drop(Key(1));
}
