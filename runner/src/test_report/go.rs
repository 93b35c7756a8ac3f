//! `go test`: with `-v` single tests, else packages.

use super::{Reading, SingleTests, TestEnd};

pub(super) fn read(text: &str) -> Reading {
    let mut single = SingleTests::default();
    let mut packages = SingleTests::default();
    let mut verbose = false;
    // A package's line comes after its tests.
    let mut waiting: Vec<(&str, TestEnd)> = Vec::new();
    for line in text.lines() {
        let body = line.trim_start();
        verbose |= body.starts_with("=== RUN ");
        if let Some((name, end)) = result(body) {
            waiting.push((name, end));
        } else if let Some((package, end)) = package(line) {
            for (name, end) in waiting.drain(..) {
                single.add(&format!("{package}.{name}"), end);
            }
            packages.add(package, end);
        }
    }
    match (packages.is_empty(), verbose && !single.is_empty()) {
        (true, _) => Reading::Nothing,
        (false, true) => Reading::Tests(single),
        (false, false) => Reading::Tests(packages),
    }
}

/// `--- PASS: TestX/sub (0.00s)`
fn result(body: &str) -> Option<(&str, TestEnd)> {
    let (end, rest) = [
        ("--- PASS: ", TestEnd::Passed),
        ("--- FAIL: ", TestEnd::Failed),
        ("--- SKIP: ", TestEnd::Skipped),
    ]
    .into_iter()
    .find_map(|(mark, end)| Some((end, body.strip_prefix(mark)?)))?;
    Some((rest.split(' ').next()?, end))
}

/// `ok  example.org/a 0.003s` or `FAIL example.org/a 0.003s`; tabs have become spaces.
fn package(line: &str) -> Option<(&str, TestEnd)> {
    let mut words = line.split_whitespace();
    let end = match words.next()? {
        "ok" if line.starts_with("ok ") => TestEnd::Passed,
        "FAIL" if line.starts_with("FAIL ") => TestEnd::Failed,
        _ => return None,
    };
    let package = words.next()?;
    let time = words.next()?;
    let timed = time.starts_with(|c: char| c.is_ascii_digit()) && time.ends_with('s');
    (timed || matches!(time, "(cached)" | "[build" | "[setup")).then_some((package, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verbose_output_has_single_tests_of_their_package() {
        let text = "=== RUN   TestA\n--- PASS: TestA (0.00s)\n=== RUN   TestB\n    --- FAIL: TestB/x (0.00s)\n--- FAIL: TestB (0.00s)\nFAIL\n\
            FAIL example.org/a 0.003s\n=== RUN   TestA\n--- SKIP: TestA (0.00s)\nPASS\nok   example.org/b 0.002s\n";
        let Reading::Tests(tests) = read(text) else {
            panic!("{:?}", read(text));
        };
        assert_eq!(
            tests.iter().collect::<Vec<_>>(),
            [
                ("example.org/a.TestA", TestEnd::Passed),
                ("example.org/a.TestB", TestEnd::Failed),
                ("example.org/a.TestB/x", TestEnd::Failed),
                ("example.org/b.TestA", TestEnd::Skipped),
            ]
        );
    }

    #[test]
    fn short_output_has_packages() {
        let text = "ok   example.org/a (cached)\n--- FAIL: TestB (0.00s)\nFAIL\nFAIL example.org/b 0.003s\n";
        let Reading::Tests(tests) = read(text) else {
            panic!("{:?}", read(text));
        };
        assert_eq!(
            tests.iter().collect::<Vec<_>>(),
            [("example.org/a", TestEnd::Passed), ("example.org/b", TestEnd::Failed)]
        );
    }
}
