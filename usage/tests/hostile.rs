//! Text that nobody would write: it costs a bounded amount of work, and never an answer that isn't backed.

#![allow(clippy::indexing_slicing, reason = "tests")]

use holdpoint_usage::{Ecosystem, MAX_FILE_BYTES, Observation, Package, Reach, SourceFile, Usage};
use proptest::prelude::*;

const PATHS: &[&str] = &[
    "a.py",
    "a.js",
    "a.ts",
    "a.tsx",
    "a.rs",
    "a.go",
    "A.java",
    "Cargo.toml",
    "Cargo.lock",
    "package.json",
    "package-lock.json",
    "go.mod",
    "pyproject.toml",
    "poetry.lock",
    "requirements.txt",
    "pom.xml",
    "Dockerfile",
];

const PACKAGES: &[(Ecosystem, &str, &str)] = &[
    (Ecosystem::Pypi, "PyYAML", "yaml.load"),
    (Ecosystem::Npm, "lodash", "lodash.template"),
    (Ecosystem::Cargo, "time", "time::at"),
    (
        Ecosystem::Golang,
        "golang.org/x/text",
        "golang.org/x/text/language.Parse",
    ),
    (Ecosystem::Maven, "org.yaml:snakeyaml", "org.yaml.snakeyaml.Yaml.load"),
];

fn ask_everything(files: &[(&str, &str)]) {
    let usage = Usage::of(files.iter().map(|(path, text)| SourceFile { path, text: Some(text) }));
    for (ecosystem, name, symbol) in PACKAGES {
        let package = Package::new(*ecosystem, *name);
        for symbols in [
            Vec::new(),
            vec![(*symbol).to_owned()],
            vec![files[0].1.chars().take(40).collect()],
        ] {
            if let Reach::Unknown { because } = usage.reach(&package, &symbols) {
                assert!(!because.is_empty());
            }
        }
    }
    for (path, _) in files {
        let _ = usage.callers(path);
    }
}

/// Pieces of the languages, in any order.
fn fragments() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "import ",
        "from ",
        "yaml",
        "load",
        " as ",
        "*",
        "(",
        ")",
        "{",
        "}",
        "[",
        "]",
        ".",
        "::",
        ";",
        "\n",
        "    ",
        "'",
        "\"",
        "`",
        "require('lodash')",
        "=",
        "=>",
        "const ",
        "use ",
        "time",
        "at",
        "mod ",
        "fn ",
        "def ",
        ":",
        ",",
        "!",
        "#",
        "package ",
        "func ",
        "class ",
        "<",
        ">",
        "lambda ",
        "await ",
        "export ",
        "type ",
        "self",
        "super",
        "crate",
        "${",
        "/*",
        "//",
        "é",
        "\u{0}",
    ]);
    prop::collection::vec(pieces, 0..80).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let text = String::from_utf8_lossy(&bytes);
        let files: Vec<(&str, &str)> = PATHS.iter().map(|path| (*path, text.as_ref())).collect();
        ask_everything(&files);
        let _ = Observation::read("o.json", &text);
    }

    #[test]
    fn broken_programs_never_panic(text in fragments()) {
        let files: Vec<(&str, &str)> = PATHS.iter().map(|path| (*path, text.as_str())).collect();
        ask_everything(&files);
    }

    #[test]
    fn what_follows_a_use_never_makes_it_not_reached(tail in fragments()) {
        let text = format!("import yaml\nyaml.load(x)\n{tail}");
        let usage = Usage::of([
            SourceFile { path: "requirements.txt", text: Some("PyYAML==5.1") },
            SourceFile { path: "a.py", text: Some(&text) },
        ]);
        let reach = usage.reach(&Package::new(Ecosystem::Pypi, "PyYAML"), &["yaml.load".to_owned()]);
        let is_denied = matches!(reach, Reach::NotReached { .. });
        prop_assert!(!is_denied, "{text}");
    }
}

fn reach_of(path: &str, text: Option<&str>) -> Reach {
    let usage = Usage::of([
        SourceFile {
            path: "requirements.txt",
            text: Some("PyYAML==5.1"),
        },
        SourceFile {
            path: "b.py",
            text: Some("print(1)\n"),
        },
        SourceFile { path, text },
    ]);
    usage.reach(&Package::new(Ecosystem::Pypi, "PyYAML"), &[])
}

#[test]
fn a_file_that_was_not_read_makes_the_answer_unknown() {
    assert!(matches!(reach_of("a.py", Some("print(2)\n")), Reach::NotReached { .. }));
    assert!(matches!(reach_of("a.py", None), Reach::Unknown { .. }));
    assert!(matches!(reach_of("a.ipynb", None), Reach::Unknown { .. }));
    assert!(matches!(reach_of("start", None), Reach::Unknown { .. }));
    assert!(matches!(reach_of("logo.png", None), Reach::NotReached { .. }));
    let long = "x = 1\n".repeat(MAX_FILE_BYTES / 6 + 1);
    assert!(matches!(reach_of("a.py", Some(&long)), Reach::Unknown { .. }));
}

#[test]
fn deep_nesting_makes_the_answer_unknown_and_costs_no_stack() {
    for (open, close) in [("(", ")"), ("[", "]"), ("-", ""), ("f(", ")")] {
        let text = format!("x = {}1{}\n", open.repeat(50_000), close.repeat(50_000));
        assert!(matches!(reach_of("a.py", Some(&text)), Reach::Unknown { .. }), "{open}");
    }
    let chain = format!("x{}\n", ".y".repeat(50_000));
    ask_everything(&[
        ("a.py", &chain),
        ("a.ts", &chain),
        ("a.rs", &chain),
        ("a.go", &chain),
        ("A.java", &chain),
    ]);
}

#[test]
fn a_manifest_that_cannot_be_read_makes_the_answer_unknown() {
    let usage = Usage::of([
        SourceFile {
            path: "package.json",
            text: Some("{\"dependencies\": {\"lodash\""),
        },
        SourceFile {
            path: "a.js",
            text: Some("console.log(1)\n"),
        },
    ]);
    assert!(matches!(
        usage.reach(&Package::new(Ecosystem::Npm, "lodash"), &[]),
        Reach::Unknown { .. }
    ));
}

#[test]
fn names_in_a_circle_come_to_an_end() {
    ask_everything(&[
        (
            "a.py",
            "from b import x as y\ny = z\nz = y\nfrom b import *\ny.load()\n",
        ),
        ("b.py", "from a import y as x\nfrom a import *\nx = x.y\n"),
        ("a.ts", "export * from './b';\nconst a = b, b = a;\na.template()\n"),
        ("b.ts", "export * from './a';\nexport { c as d } from './a';\n"),
    ]);
}

#[test]
fn package_urls_are_read() {
    let package = |purl: &str| Package::of_purl(purl).map(|package| package.name);
    assert_eq!(package("pkg:npm/%40babel/core@7.0.0").as_deref(), Some("@babel/core"));
    assert_eq!(package("pkg:npm/@babel/core").as_deref(), Some("@babel/core"));
    assert_eq!(
        package("pkg:golang/golang.org/x/text@v0.3.0").as_deref(),
        Some("golang.org/x/text")
    );
    assert_eq!(
        package("pkg:maven/org.yaml/snakeyaml@1.0?type=jar").as_deref(),
        Some("org.yaml:snakeyaml")
    );
    assert_eq!(package("pkg:deb/openssl@3"), None);
    assert_eq!(package("PyYAML"), None);
}
