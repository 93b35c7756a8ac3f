use time::now;

fn main() {
    now();
}
