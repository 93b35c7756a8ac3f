//! `failures classify` on plain and packed logs.

use std::io::Write as _;
use std::process::{Output, Stdio};

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::support::{holdpoint, json, refused, run, stdout};

const LOG: &str = "[INFO] Building shop\n\
    [INFO] BUILD FAILURE\n\
    [ERROR] Failed to execute goal org.apache.maven.plugins:maven-compiler-plugin:3.11.0:compile (default-compile) on project shop: Compilation failure\n\
    [ERROR] /shop/src/main/java/shop/Cart.java:[12,9] cannot find symbol\n";

fn packed(text: &str) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
    packer.write_all(text.as_bytes()).unwrap();
    packer.finish().unwrap()
}

fn piped(log: &[u8]) -> Output {
    let mut child = holdpoint()
        .args(["failures", "classify", "-", "--format", "json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(log).unwrap();
    child.wait_with_output().unwrap()
}

#[test]
fn a_log_is_read_plain_packed_and_from_a_pipe() {
    let folder = tempfile::tempdir().unwrap();
    let plain = folder.path().join("build.log");
    let gzipped = folder.path().join("build.log.gz");
    std::fs::write(&plain, LOG).unwrap();
    std::fs::write(&gzipped, packed(LOG)).unwrap();
    let found = json(&run(&[
        "failures",
        "classify",
        plain.to_str().unwrap(),
        "--format",
        "json",
    ]));
    assert_eq!(found["category"], "build");
    assert_eq!(found["lines"][1]["line"], 4);
    assert_eq!(
        found["lines"][1]["text"],
        "[ERROR] /shop/src/main/java/shop/Cart.java:[12,9] cannot find symbol"
    );
    assert_eq!(
        json(&run(&[
            "failures",
            "classify",
            gzipped.to_str().unwrap(),
            "--format",
            "json"
        ])),
        found
    );
    assert_eq!(json(&piped(LOG.as_bytes())), found);
    assert_eq!(json(&piped(&packed(LOG))), found);
    let human = stdout(&run(&["failures", "classify", plain.to_str().unwrap()]));
    assert!(human.starts_with("build\n"), "{human}");
    assert!(human.contains("4  [ERROR] /shop/src"), "{human}");
}

#[test]
fn a_log_that_says_nothing_known_is_inconclusive() {
    let output = piped(b"it broke\n");
    assert_eq!(output.status.code(), Some(12));
    assert_eq!(
        stdout(&output).split_whitespace().collect::<String>(),
        r#"{"category":"unknown","lines":[]}"#
    );
}

#[test]
fn what_is_no_log_is_refused_with_help() {
    let folder = tempfile::tempdir().unwrap();
    let cut = folder.path().join("cut.gz");
    std::fs::write(&cut, &packed(&LOG.repeat(50))[..40]).unwrap();
    refused(
        &run(&["failures", "classify", cut.to_str().unwrap()]),
        &["cut.gz", "can't be unpacked"],
    );
    refused(
        &run(&["failures", "classify", "/nonexistent.log"]),
        &["/nonexistent.log", "can't be read"],
    );
    refused(
        &run(&["failures", "classify", folder.path().to_str().unwrap()]),
        &["is a folder"],
    );
}
