mod clock;

fn main() {
    clock::at(1);
}
