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
        ("pub struct S;", "pub struct S{}", "pkg::S", "unknown"),
        ("pub fn f(a:u8){}", "pub fn f(a:u16){}", "pkg::f", "unknown"),
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

#[test]
fn traits_on_types_of_others_are_of_the_types_that_they_are_about() {
    let error = "pub struct E;\npub fn f()->Result<(),E>{Ok(())}\n";
    let from = format!("{error}impl From<E> for String{{fn from(_:E)->String{{String::new()}}}}");
    let client = "fn g()->Result<(),String>{\n pkg::f()?;Ok(())}\nfn main(){}";
    let same = "pub struct S;\nimpl PartialEq<S> for str{fn eq(&self,_:&S)->bool{true}}";
    hold(
        &[
            (&from, error, client, "unknown"),
            (error, &from, client, "safe"),
            (
                same,
                "pub struct S;",
                "fn g(a:&str)->bool{a==&pkg::S}\nfn main(){}",
                "unknown",
            ),
            (
                "pub trait T{}",
                "pub trait T{}\nimpl<X> T for X{}",
                "struct X;impl pkg::T for X{}\nfn main(){}",
                "unknown",
            ),
            (
                "pub trait T{}",
                "pub trait T{}\nimpl<X: Copy> T for &X{}",
                "struct X;impl pkg::T for &X{}\nfn main(){}",
                "unknown",
            ),
            (
                "pub trait T{}",
                "pub trait T{}\nimpl<X> T for Vec<X>{}",
                "struct X;impl pkg::T for X{}\nfn main(){}",
                "safe",
            ),
        ],
        rust,
    );
}
