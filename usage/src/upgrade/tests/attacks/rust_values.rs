use super::rust::rust;
use super::*;

#[test]
fn values_that_are_read_are_used_whatever_becomes_of_them() {
    for (was, is, read, answer) in [
        ("pub const N:u8=1;", "pub const N:u16=1;", "pkg::N", "unknown"),
        ("pub const N:u8=1;", "pub const N:u16=2;", "pkg::N", "unknown"),
        ("pub static N:u8=1;", "pub static N:u16=1;", "pkg::N", "unknown"),
        (
            "pub struct S;impl S{pub const N:u8=1;}",
            "pub struct S;impl S{pub const N:u16=1;}",
            "pkg::S::N",
            "unknown",
        ),
        ("pub enum E{A}", "pub enum E{A{}}", "pkg::E::A", "unknown"),
        (
            "pub const N:u8=1;pub const M:u8=1;",
            "pub const N:u8=1;pub const M:u16=1;",
            "pkg::N",
            "safe",
        ),
        ("pub enum E{A,B}", "pub enum E{A,B}", "pkg::E::A", "safe"),
    ] {
        let client = format!("fn main(){{\n let x={read};}}");
        hold(&[(was, is, &client, answer)], rust);
    }
}
