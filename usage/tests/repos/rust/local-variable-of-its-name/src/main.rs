fn main() {
    let time = String::from("now");
    println!("{}", time.len());
}
