//! `jest`: with `--verbose` single tests, else test files, which are told apart too.

use super::{Reading, SingleTests, TestEnd, counted, without_duration};

pub(super) fn read(text: &str) -> Reading {
    let mut single = SingleTests::default();
    let mut files = SingleTests::default();
    let mut named = 0;
    let mut total = None;
    let mut file = "";
    for line in text.lines() {
        let body = line.trim();
        if let Some(summary) = body.strip_prefix("Tests:") {
            total = counted(summary, "total");
            break;
        }
        if let Some(path) = body.strip_prefix("PASS ") {
            file = without_duration(path.trim());
            files.add(file, TestEnd::Passed);
            continue;
        }
        if let Some(path) = body.strip_prefix("FAIL ") {
            file = without_duration(path.trim());
            files.add(file, TestEnd::Failed);
            continue;
        }
        let Some((mark, name)) = body.split_once(' ') else {
            continue;
        };
        let end = match mark {
            "✓" => TestEnd::Passed,
            "✕" => TestEnd::Failed,
            "○" | "✎" => TestEnd::Skipped,
            _ => continue,
        };
        named += 1;
        let name = name.strip_prefix("skipped ").unwrap_or(name);
        single.add(&format!("{file} > {}", without_duration(name)), end);
    }
    match total {
        None => Reading::Nothing,
        Some(total) if total > 0 && total == named => Reading::Tests(single),
        Some(_) if files.is_empty() => Reading::Unnamed,
        Some(_) => Reading::Tests(files),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verbose_output_has_single_tests() {
        let text = "PASS src/a.test.js\n  sums\n    ✓ adds (2 ms)\n    ○ skipped later\nFAIL src/b.test.js\n  ✕ breaks (1 ms)\n\n\
            Test Suites: 1 failed, 1 passed, 2 total\nTests:       1 failed, 1 skipped, 1 passed, 3 total\n";
        let Reading::Tests(tests) = read(text) else {
            panic!("{:?}", read(text));
        };
        assert_eq!(
            tests.iter().collect::<Vec<_>>(),
            [
                ("src/a.test.js > adds", TestEnd::Passed),
                ("src/a.test.js > later", TestEnd::Skipped),
                ("src/b.test.js > breaks", TestEnd::Failed),
            ]
        );
    }

    #[test]
    fn short_output_has_files() {
        let text =
            "PASS src/a.test.js (5.1 s)\nFAIL src/b.test.js\n  ● breaks\n\nTests:       1 failed, 7 passed, 8 total\n";
        let Reading::Tests(tests) = read(text) else {
            panic!("{:?}", read(text));
        };
        assert_eq!(
            tests.iter().collect::<Vec<_>>(),
            [("src/a.test.js", TestEnd::Passed), ("src/b.test.js", TestEnd::Failed)]
        );
    }
}
