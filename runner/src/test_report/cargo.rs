//! `cargo test`: the text form of Rust's libtest.

use super::{Reading, SingleTests, TestEnd, checked, counted};

pub(super) fn read(text: &str) -> Reading {
    let mut tests = SingleTests::default();
    let (mut named, mut total) = (0, None);
    let mut binary = "";
    // A test that writes to the terminal comes between its name and its end.
    let mut open: Option<&str> = None;
    for line in text.lines() {
        let line = line.trim();
        if let Some(running) = line.strip_prefix("Running ") {
            binary = binary_name(running);
        } else if let Some(doc) = line.strip_prefix("Doc-tests ") {
            binary = doc;
        } else if line.starts_with("test result: ") {
            let words = ["passed", "failed", "ignored", "measured"];
            let sum: u64 = words.iter().filter_map(|word| counted(line, word)).sum();
            total = Some(total.unwrap_or(0) + sum);
            open = None;
        } else if let Some((name, rest)) = line.strip_prefix("test ").and_then(|rest| rest.split_once(" ... ")) {
            match end_of(rest) {
                Some(end) => {
                    named += 1;
                    tests.add(&full_name(binary, name), end);
                    open = None;
                }
                None => open = Some(name),
            }
        } else if let (Some(name), Some(end)) = (open, end_of(line)) {
            named += 1;
            tests.add(&full_name(binary, name), end);
            open = None;
        }
    }
    match total {
        // Unittest's lines end alike; only cargo has this summary.
        None => Reading::Nothing,
        Some(0) => Reading::Nothing,
        total => checked(tests, named, total),
    }
}

fn end_of(text: &str) -> Option<TestEnd> {
    let word = text.split([' ', ',']).next()?;
    match word {
        "ok" | "bench:" => Some(TestEnd::Passed),
        "FAILED" => Some(TestEnd::Failed),
        "ignored" => Some(TestEnd::Skipped),
        _ => None,
    }
}

/// `accounts` of `unittests src/lib.rs (target/debug/deps/accounts-5d6e5f0c8a9b1234)`: the digest changes
/// with every change of the source.
fn binary_name(running: &str) -> &str {
    let path = running
        .rsplit_once('(')
        .map_or(running, |(_, path)| path)
        .trim_end_matches(')');
    let file = path.rsplit_once('/').map_or(path, |(_, file)| file);
    file.rsplit_once('-').map_or(file, |(name, _)| name)
}

fn full_name(binary: &str, name: &str) -> String {
    let name = name.strip_suffix(" - should panic").unwrap_or(name);
    if binary.is_empty() {
        name.to_owned()
    } else {
        format!("{binary}::{name}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &str = "\
   Compiling accounts v0.1.0 (/workspace/repo)
     Running unittests src/lib.rs (target/debug/deps/accounts-5d6e5f0c8a9b1234)

running 4 tests
test tests::adds ... ok
test tests::panics - should panic ... ok
test tests::slow ... ignored, takes long
test tests::talks ... hello
FAILED

failures:

test result: FAILED. 2 passed; 1 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s

   Doc-tests accounts

running 1 test
test src/lib.rs - add (line 3) ... ok

test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.20s
";

    #[test]
    fn names_have_their_binary_and_no_digest() {
        let Reading::Tests(tests) = read(OUTPUT) else {
            panic!("{:?}", read(OUTPUT));
        };
        assert_eq!(
            tests.iter().collect::<Vec<_>>(),
            [
                ("accounts::src/lib.rs - add (line 3)", TestEnd::Passed),
                ("accounts::tests::adds", TestEnd::Passed),
                ("accounts::tests::panics", TestEnd::Passed),
                ("accounts::tests::slow", TestEnd::Skipped),
                ("accounts::tests::talks", TestEnd::Failed),
            ]
        );
    }

    #[test]
    fn quiet_output_names_nothing() {
        let quiet =
            "running 3 tests\n...\ntest result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out\n";
        assert_eq!(read(quiet), Reading::Unnamed);
    }

    #[test]
    fn a_build_failure_has_no_tests() {
        assert_eq!(read("error[E0308]: mismatched types\n"), Reading::Nothing);
    }
}
