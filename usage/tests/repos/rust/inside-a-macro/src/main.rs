fn main() {
    println!("{:?}", time::at(1));
}
