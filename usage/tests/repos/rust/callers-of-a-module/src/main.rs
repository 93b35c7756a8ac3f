mod clock;
mod deep;
mod alone;

fn main() {
    deep::go();
}
