#[derive(serde_derive::Serialize)]
struct A;

fn main() {}
