mod time;

fn main() {
    time::at(1);
}
