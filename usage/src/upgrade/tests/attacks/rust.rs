use super::*;

fn crates(old: Files<'_>, new: Files<'_>, client: &str) -> Compatibility {
    let client = [
        ("src/main.rs", client),
        ("Cargo.toml", "[package]\nname = \"app\"\n[dependencies]\npkg = \"1\"\n"),
    ];
    judged(Ecosystem::Cargo, read_rust, &[("1.0.0", old), ("1.1.0", new)], &client)
}

const MANIFEST: &str = "[package]\nname = \"pkg\"\nversion = \"1.0.0\"\n";

pub(super) fn rust(old: &str, new: &str, client: &str) -> Compatibility {
    crates(
        &[("Cargo.toml", MANIFEST), ("src/lib.rs", old)],
        &[("Cargo.toml", MANIFEST), ("src/lib.rs", new)],
        client,
    )
}

#[test]
fn types_keep_what_they_can_do() {
    let client = "use pkg::S;\nfn main() { let s = S::new(); drop(s); }\n";
    let new = "impl S { pub fn new() -> S { S } }";
    let with = |text: &str| format!("{text}\n{new}\n");
    for (was, is, answer) in [
        ("#[derive(Clone)] pub struct S;", "pub struct S;", "unknown"),
        (
            "#[derive(Copy, Clone)] pub struct S;",
            "#[derive(Clone)] pub struct S;",
            "unknown",
        ),
        (
            "pub struct S; impl Drop for S { fn drop(&mut self) {} }",
            "pub struct S;",
            "unknown",
        ),
        (
            "pub struct S; impl Iterator for S { type Item = u8; fn next(&mut self) -> Option<u8> { None } }",
            "pub struct S;",
            "unknown",
        ),
        ("pub struct S; unsafe impl Send for S {}", "pub struct S;", "unknown"),
        ("pub struct S { a: u8 }", "pub struct S { a: Rc<u8> }", "unknown"),
        (
            "pub struct S { a: u8 }",
            "pub struct S { a: In } struct In { b: RefCell<u8> }",
            "unknown",
        ),
        ("pub struct S { a: u8 }", "pub struct S { a: Box<dyn Fn()> }", "unknown"),
        (
            "pub struct S { a: u8 }",
            "pub struct S { a: Box<dyn Fn() + Send + Sync> }",
            "safe",
        ),
        ("pub struct S { a: Arc<u8> }", "pub struct S { a: u8 }", "safe"),
        ("pub struct S<T> { a: T }", "pub struct S<T: Clone> { a: T }", "unknown"),
        (
            "pub struct S<T> { a: T }",
            "pub struct S<T> where T: Clone { a: T }",
            "unknown",
        ),
        (
            "pub struct S;",
            "pub struct S; impl Clone for S { fn clone(&self) -> S { S } }",
            "safe",
        ),
    ] {
        hold(&[(&with(was), &with(is), client, answer)], rust);
    }
    hold(
        &[
            (
                "#[derive(Clone)] pub struct R; pub fn f() -> R { R }",
                "pub struct R; pub fn f() -> R { R }",
                "fn main() { let r = pkg::f(); r.clone(); }\n",
                "removed pkg::f::clone src/main.rs:1",
            ),
            (
                "pub struct R; impl std::fmt::Display for R { } pub fn f() -> R { R }",
                "pub struct R; pub fn f() -> R { R }",
                "fn main() { println!(\"{}\", pkg::f()); }\n",
                "unknown",
            ),
            (
                "pub struct S { pub a: u8 }",
                "pub struct S { pub a: u8, pub b: u8 }",
                "fn main() { let s = pkg::S { a: 1 }; }\n",
                "parameter-added pkg::S src/main.rs:1",
            ),
            (
                "pub struct S { pub a: u8 }",
                "#[non_exhaustive] pub struct S { pub a: u8 }",
                "fn main() { let s = pkg::S { a: 1 }; }\n",
                "unknown",
            ),
            (
                "pub struct S { pub a: u8 }",
                "pub struct S { pub a: u8, b: u8 }",
                "fn main() { let s = pkg::S { a: 1 }; }\n",
                "unknown",
            ),
            (
                "pub struct S { pub a: u8 } impl S { pub fn new() -> S { S { a: 1 } } }",
                "pub struct S { a: u8 } impl S { pub fn new() -> S { S { a: 1 } } }",
                "fn main() { let s = pkg::S::new(); s.a; }\n",
                "removed pkg::S::new::a",
            ),
        ],
        rust,
    );
}

#[test]
fn patterns_take_apart_what_is_there() {
    hold(
        &[
            (
                "pub struct S(pub u8);",
                "pub struct S(pub u8, pub u8);",
                "fn f(s: pkg::S) { let pkg::S(a) = s; }\n",
                "unknown",
            ),
            (
                "pub struct S { pub a: u8 }",
                "pub struct S { pub a: u8, pub b: u8 }",
                "fn f(s: pkg::S) { let pkg::S { a } = s; }\n",
                "unknown",
            ),
            (
                "pub enum E { A { x: u8 } }",
                "pub enum E { A { y: u8 } }",
                "fn f(e: pkg::E) { match e { pkg::E::A { x } => {} } }\n",
                "unknown",
            ),
        ],
        rust,
    );
}

#[test]
fn matches_stay_complete() {
    let client = "fn f(e: pkg::E) { match e { pkg::E::A => {}, pkg::E::B => {} } }\n";
    hold(
        &[
            ("pub enum E { A, B }", "pub enum E { A, B, C }", client, "unknown"),
            (
                "pub enum E { A, B }",
                "#[non_exhaustive] pub enum E { A, B }",
                client,
                "unknown",
            ),
            (
                "#[non_exhaustive] pub enum E { A, B }",
                "#[non_exhaustive] pub enum E { A, B, C }",
                client,
                "safe",
            ),
            (
                "pub enum E { A, B }",
                "pub enum E { A }",
                client,
                "removed pkg::E::B src/main.rs:1",
            ),
            ("pub enum E { A, B }", "pub enum E { A, B(u8) }", client, "unknown"),
            (
                "pub enum E { A(u8), B }",
                "pub enum E { A(u8, u8), B }",
                "fn f() { pkg::E::A(1); }\n",
                "parameter-added",
            ),
        ],
        rust,
    );
}

#[test]
fn traits_ask_for_no_more() {
    let client = "struct X;\nimpl pkg::T for X { fn a(&self) {} }\n";
    hold(
        &[
            (
                "pub trait T { fn a(&self); }",
                "pub trait T { fn a(&self); fn b(&self); }",
                client,
                "required pkg::T src/main.rs:2",
            ),
            (
                "pub trait T { fn a(&self); }",
                "pub trait T { fn a(&self); fn b(&self) {} }",
                client,
                "safe",
            ),
            (
                "pub trait T { fn a(&self); }",
                "pub trait T { fn a(&self); type X; }",
                client,
                "required pkg::T",
            ),
            (
                "pub trait T { fn a(&self); }",
                "pub trait T: Send { fn a(&self); }",
                client,
                "required pkg::T",
            ),
            (
                "pub trait T { fn a(&self); }",
                "pub unsafe trait T { fn a(&self); }",
                client,
                "unknown",
            ),
            (
                "pub trait T { fn a(&self); }",
                "pub trait T { fn a(&mut self); }",
                client,
                "unknown",
            ),
            (
                "pub trait T { fn a(&self); }",
                "pub trait T<U> { fn a(&self); }",
                client,
                "unknown",
            ),
            (
                "pub trait T { fn a(&self); type X; }",
                "pub trait T { fn a(&self); type X: Send; }",
                "struct X;\nimpl pkg::T for X { fn a(&self) {} type X = u8; }\n",
                "unknown",
            ),
            (
                "pub trait T { fn a(&self); }",
                "pub trait T { fn a(&self); fn b<U>(&self, u: U) {} }",
                "fn f(t: &dyn pkg::T) { t.a(); }\n",
                "unknown",
            ),
            (
                "pub struct S; impl S { pub fn new() -> S { S } pub fn go(&self) {} }",
                "pub struct S; impl S { pub fn new() -> S { S } } pub trait Go { fn go(&self); } impl Go for S { fn go(&self) {} }",
                "fn main() { pkg::S::new().go(); }\n",
                "unknown",
            ),
        ],
        rust,
    );
}

#[test]
fn functions_take_and_give_what_they_did() {
    for (was, is, client, answer) in [
        (
            "pub fn f(a: u8) {}",
            "pub fn f(a: u8, b: u8) {}",
            "pkg::f(1);",
            "parameter-added pkg::f",
        ),
        (
            "pub fn f(a: u8) {}",
            "pub fn f(a: &str) {}",
            "pkg::f(1);",
            "type pkg::f",
        ),
        (
            "pub fn f() -> u8 { 1 }",
            "pub fn f() -> Option<u8> { None }",
            "pkg::f() + 1;",
            "unknown",
        ),
        (
            "pub fn f<T>(a: T) {}",
            "pub fn f<T: Send>(a: T) {}",
            "pkg::f(1);",
            "unknown",
        ),
        (
            "pub fn f<T>(a: T) {}",
            "pub fn f<T, U>(a: T) {}",
            "pkg::f::<u8>(1);",
            "unknown",
        ),
        ("pub fn f() {}", "pub unsafe fn f() {}", "pkg::f();", "unknown"),
        (
            "pub const fn f() -> u8 { 1 }",
            "pub fn f() -> u8 { 1 }",
            "const X: u8 = pkg::f();",
            "unknown",
        ),
        (
            "pub fn f() -> u8 { 1 }",
            "pub const fn f() -> u8 { 1 }",
            "pkg::f();",
            "safe",
        ),
        ("pub fn f() {}", "pub async fn f() {}", "pkg::f();", "asyncness pkg::f"),
        ("pub fn f() {}", "pub(crate) fn f() {}", "pkg::f();", "removed pkg::f"),
        (
            "pub fn f() {}",
            "#[cfg(feature = \"x\")] pub fn f() {}",
            "pkg::f();",
            "unknown",
        ),
        (
            "pub fn f() {}",
            "#[cfg(unix)] pub mod m { pub fn f() {} } #[cfg(unix)] pub use m::f;",
            "pkg::f();",
            "unknown",
        ),
        (
            "mod m { pub fn f() {} } pub use m::f;",
            "mod m { pub fn f() {} }",
            "pkg::f();",
            "removed pkg::f",
        ),
        (
            "pub struct E; pub type Result<T> = std::result::Result<T, E>; pub fn f() -> Result<u8> { Ok(1) }",
            "pub struct E2; pub type Result<T> = std::result::Result<T, E2>; pub fn f() -> Result<u8> { Ok(1) }",
            "let x = pkg::f();",
            "unknown",
        ),
        (
            "pub fn f() -> Result<u8, A> { g() }",
            "pub fn f() -> Result<u8, B> { g() }",
            "pkg::f();",
            "unknown",
        ),
        ("pub const X: u8 = 1;", "pub const X: u8 = 2;", "pkg::X;", "unknown"),
        ("pub const X: u8 = 1;", "pub const X: u16 = 1;", "pkg::X;", "unknown"),
        ("pub static X: u8 = 1;", "pub fn X() -> u8 { 1 }", "pkg::X;", "unknown"),
        (
            "#[macro_export] macro_rules! m { ($a:expr) => {} }",
            "#[macro_export] macro_rules! m { ($a:ident) => {} }",
            "pkg::m!(1);",
            "unknown",
        ),
        (
            "#[macro_export] macro_rules! m { ($a:expr) => {} }",
            "macro_rules! m { ($a:expr) => {} }",
            "pkg::m!(1);",
            "removed pkg::m",
        ),
        ("pub type T = u8;", "pub type T = u16;", "let x: pkg::T = 1;", "unknown"),
        (
            "pub fn f(a: impl Into<String>) {}",
            "pub fn f(a: &str) {}",
            "pkg::f(String::new());",
            "unknown",
        ),
        (
            "pub struct S; impl S { pub fn new() -> S { S } pub fn go(self) {} }",
            "pub struct S; impl S { pub fn new() -> S { S } pub fn go(&mut self) {} }",
            "pkg::S::new().go();",
            "unknown",
        ),
        (
            "pub struct S<T>(T); impl<T> S<T> { pub fn go() {} }",
            "pub struct S<T>(T); impl<T: Clone> S<T> { pub fn go() {} }",
            "pkg::S::<u8>::go();",
            "unknown",
        ),
    ] {
        hold(&[(was, is, &format!("fn main() {{ {client} }}\n"), answer)], rust);
    }
}

#[test]
fn what_the_manifest_of_a_crate_promises_is_kept() {
    let code = ("src/lib.rs", "pub fn f() {}");
    let manifest = |rest: &str| format!("{MANIFEST}{rest}");
    let answer = |was: &str, is: &str| {
        let (was, is) = (manifest(was), manifest(is));
        told(&crates(
            &[("Cargo.toml", &was), code],
            &[("Cargo.toml", &is), code],
            "fn main() { pkg::f(); }\n",
        ))
    };
    assert_eq!(answer("", ""), "safe");
    assert!(answer("[features]\nx = []\n", "").starts_with("unknown"));
    assert!(
        answer(
            "[features]\ndefault = [\"x\"]\nx = []\n",
            "[features]\ndefault = []\nx = []\n"
        )
        .starts_with("unknown")
    );
    assert!(answer("[dependencies]\nserde = { version = \"1\", optional = true }\n", "").starts_with("unknown"));
    assert!(answer("rust-version = \"1.60\"\n", "rust-version = \"1.85\"\n").starts_with("unknown"));
    assert_eq!(answer("rust-version = \"1.60\"\n", "rust-version = \"1.56\"\n"), "safe");
    assert!(answer("", "[lib]\nname = \"other\"\n").starts_with("removed"));
}

#[test]
fn traits_are_on_the_types_that_they_were_on() {
    let client = "use pkg::Ext;\nfn main() { \"x\".go(); }\n";
    let text = "pub trait Ext { fn go(&self); }";
    let with = |of: &str| format!("{text}\n{of}\n");
    for (was, is, answer) in [
        ("impl Ext for str { fn go(&self) {} }", "", "unknown"),
        (
            "impl<T: AsRef<str>> Ext for T { fn go(&self) {} }",
            "impl Ext for String { fn go(&self) {} }",
            "unknown",
        ),
        (
            "impl Ext for str { fn go(&self) {} }",
            "impl Ext for str { fn go(&self) {} }\nimpl Ext for u8 { fn go(&self) {} }",
            "safe",
        ),
    ] {
        hold(&[(&with(was), &with(is), client, answer)], rust);
    }
}

#[test]
fn types_of_other_crates_come_with_their_version() {
    let manifest = |version: &str| format!("{MANIFEST}[dependencies]\nhttp = \"{version}\"\n");
    let answer = |was: &str, is: &str, code: &str| {
        let (was, is, code) = (manifest(was), manifest(is), ("src/lib.rs", code));
        told(&crates(
            &[("Cargo.toml", &was), code],
            &[("Cargo.toml", &is), code],
            "fn main() { pkg::f(request()); }\n",
        ))
    };
    for code in [
        "use http::Request;\npub fn f(a: Request<u8>) {}",
        "pub fn f(a: http::Request<u8>) {}",
    ] {
        assert!(answer("0.2", "1.0", code).starts_with("unknown"), "{code}");
        assert_eq!(answer("1.0", "1.2", code), "safe", "{code}");
    }
    assert_eq!(answer("0.2", "1.0", "pub fn f(a: u8) {}"), "safe");
    assert!(answer("0.2", "1.0", "pub use http::f;").starts_with("unknown"));
    assert!(answer("1.0", "1.1", "pub use http::f;").starts_with("safe"));
    let of_trait = "use http::Body; pub struct S; impl Body for S {} pub fn f() -> S { S }";
    assert!(answer("0.2", "1.0", of_trait).starts_with("unknown"));
    let dropped = "pub struct S { pub a: u8 } impl Drop for S { fn drop(&mut self) {} }";
    hold(
        &[(
            "pub struct S { pub a: u8 }",
            dropped,
            "fn main() { let a = pkg::S { a: 1 }.a; }\n",
            "unknown",
        )],
        rust,
    );
}
