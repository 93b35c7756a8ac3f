//! Python's `unittest -v`.

use super::{Reading, SingleTests, TestEnd, checked};

pub(super) fn read(text: &str) -> Reading {
    let mut tests = SingleTests::default();
    let (mut named, mut total) = (0_u64, None);
    // A docstring, or what the test logs, comes between its name and its end.
    let mut open: Option<&str> = None;
    for line in text.lines() {
        if let Some(count) = ran(line) {
            total = Some(total.unwrap_or(0) + count);
            open = None;
            continue;
        }
        // A failing subtest has a line of its own below its test, and the test then has no end.
        let subtest = line.starts_with("  ");
        let (front, rest) = line
            .split_once(" ... ")
            .unwrap_or((line.strip_suffix(" ...").unwrap_or(line), ""));
        let mut end = end_of(rest);
        if let Some(name) = test_name(front) {
            if !subtest {
                named += 1;
            }
            open = Some(name);
        } else if rest.is_empty() {
            end = end_of(line);
        }
        if let (Some(name), Some(end)) = (open, end) {
            tests.add(name, end);
            open = None;
        }
    }
    match total {
        None | Some(0) => Reading::Nothing,
        total => checked(tests, named, total),
    }
}

/// `Ran 5 tests in 0.001s`
fn ran(line: &str) -> Option<u64> {
    let rest = line.strip_prefix("Ran ")?;
    let (count, rest) = rest.split_once(' ')?;
    (rest.starts_with("test")).then(|| count.parse().ok()).flatten()
}

/// `test_add (test_m.T.test_add)`, in older versions `test_add (test_m.T)`; a subtest's parameters are left out.
fn test_name(front: &str) -> Option<&str> {
    let front = front.trim();
    let close = front.find(')')?;
    let name = front.get(..=close)?;
    let (method, class) = name.split_once(" (")?;
    let word = |text: &str| !text.is_empty() && !text.contains(char::is_whitespace);
    (word(method) && word(class) && class.contains('.')).then_some(name)
}

fn end_of(text: &str) -> Option<TestEnd> {
    let text = text.trim();
    match text {
        "ok" | "expected failure" => Some(TestEnd::Passed),
        "FAIL" | "ERROR" | "unexpected success" => Some(TestEnd::Failed),
        _ if text.starts_with("skipped ") => Some(TestEnd::Skipped),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &str = "\
test_add (test_m.T.test_add)
Adds two numbers. ... ok
test_bad (test_m.T.test_bad) ...
  test_bad (test_m.T.test_bad) (i=1) ... FAIL
test_log (test_m.T.test_log) ... WARNING:root:careful
ok
test_s (test_m.T.test_s) ... skipped 'why'
test_x (test_m.T.test_x) ... expected failure

======================================================================
FAIL: test_bad (test_m.T.test_bad) (i=1)
----------------------------------------------------------------------
AssertionError: 1 != 0

----------------------------------------------------------------------
Ran 5 tests in 0.001s

FAILED (failures=1, skipped=1, expected failures=1)
";

    #[test]
    fn docstrings_logs_and_subtests_do_not_hide_a_result() {
        let Reading::Tests(tests) = read(OUTPUT) else {
            panic!("{:?}", read(OUTPUT));
        };
        assert_eq!(
            tests.iter().collect::<Vec<_>>(),
            [
                ("test_add (test_m.T.test_add)", TestEnd::Passed),
                ("test_bad (test_m.T.test_bad)", TestEnd::Failed),
                ("test_log (test_m.T.test_log)", TestEnd::Passed),
                ("test_s (test_m.T.test_s)", TestEnd::Skipped),
                ("test_x (test_m.T.test_x)", TestEnd::Passed),
            ]
        );
    }

    #[test]
    fn dots_name_nothing() {
        assert_eq!(
            read(".F.\nRan 3 tests in 0.001s\n\nFAILED (failures=1)\n"),
            Reading::Unnamed
        );
    }
}
