//! `vitest`: with `--reporter=verbose` single tests, else test files.

use super::{Reading, SingleTests, TestEnd, counted, without_duration};

pub(super) fn read(text: &str) -> Reading {
    let mut tests = SingleTests::default();
    let mut summary = false;
    for line in text.lines() {
        let body = line.trim();
        if body.starts_with("Test Files ") && counted(&body.replace('|', " "), "passed").is_some()
            || body.starts_with("Test Files ") && counted(body, "failed").is_some()
        {
            summary = true;
            break;
        }
        let Some((mark, name)) = body.split_once(' ') else {
            continue;
        };
        let end = match mark {
            "✓" => TestEnd::Passed,
            "×" | "❯" | "✗" => TestEnd::Failed,
            "↓" => TestEnd::Skipped,
            _ => continue,
        };
        // Only lines that begin with a file: a failing file's tests are listed below it.
        let file = name.split(" > ").next().unwrap_or_default();
        let path = without_count(file);
        if !path.contains('.') || path.contains(' ') {
            continue;
        }
        let name = if file == name {
            path
        } else {
            without_duration(without_millis(name))
        };
        tests.add(name, end);
    }
    match (summary, tests.is_empty()) {
        (false, _) => Reading::Nothing,
        (true, true) => Reading::Unnamed,
        (true, false) => Reading::Tests(tests),
    }
}

/// `src/a.test.ts (3 tests) 5ms` or `src/a.test.ts  (3)`
fn without_count(file: &str) -> &str {
    file.split_once(" (")
        .map_or_else(|| without_millis(file), |(path, _)| path)
        .trim()
}

fn without_millis(name: &str) -> &str {
    match name.trim_end().rsplit_once(' ') {
        Some((front, back)) if back.ends_with('s') && back.starts_with(|c: char| c.is_ascii_digit()) => {
            front.trim_end()
        }
        _ => name.trim_end(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_told_apart() {
        let text = " ✓ src/a.test.ts (3 tests) 5ms\n ❯ src/b.test.ts (2 tests | 1 failed) 7ms\n   × breaks 4ms\n\n \
            Test Files  1 failed | 1 passed (2)\n      Tests  1 failed | 4 passed (5)\n";
        let Reading::Tests(tests) = read(text) else {
            panic!("{:?}", read(text));
        };
        assert_eq!(
            tests.iter().collect::<Vec<_>>(),
            [("src/a.test.ts", TestEnd::Passed), ("src/b.test.ts", TestEnd::Failed)]
        );
    }

    #[test]
    fn the_verbose_reporter_has_single_tests() {
        let text = " ✓ src/a.test.ts > sums > adds 2ms\n ↓ src/a.test.ts > sums > later\n\n Test Files  1 passed (1)\n";
        let Reading::Tests(tests) = read(text) else {
            panic!("{:?}", read(text));
        };
        assert_eq!(
            tests.iter().collect::<Vec<_>>(),
            [
                ("src/a.test.ts > sums > adds", TestEnd::Passed),
                ("src/a.test.ts > sums > later", TestEnd::Skipped),
            ]
        );
    }
}
