// time::at(1)
fn main() {
    println!("a quiet day");
}
