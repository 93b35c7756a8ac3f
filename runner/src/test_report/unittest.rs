//! Python's `unittest`: with `-v` each test by name; without it their number, where all of them are well.

use super::{MAX_TESTS, NAMELESS, Reading, SingleTests, TestEnd, checked};

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
        Some(total) if tests.is_empty() && named == 0 => {
            well(text).map_or(Reading::Unnamed, |skipped| numbered(total, skipped))
        }
        total => checked(tests, named, total),
    }
}

/// Tests without names that all passed, but for some that were skipped. A run that ends early, or after fewer tests,
/// hasn't all of them, whatever its exit status says.
fn numbered(total: u64, skipped: u64) -> Reading {
    let passed = total.saturating_sub(skipped).min(MAX_TESTS as u64);
    let tests = (1..=passed).map(|number| (format!("test {number}{NAMELESS}"), TestEnd::Passed));
    let tests: SingleTests = tests.collect();
    if tests.is_empty() {
        Reading::Unnamed
    } else {
        Reading::Tests(tests)
    }
}

/// How many were skipped, if the word after each count of tests is that all is well.
fn well(text: &str) -> Option<u64> {
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    let mut skipped = 0;
    while let Some(line) = lines.next() {
        if ran(line).is_some() {
            let word = lines.next()?.trim();
            let rest = word.strip_prefix("OK")?;
            let number = rest.split_once("skipped=").map(|(_, rest)| rest);
            let digits = number.map(|rest| rest.chars().take_while(char::is_ascii_digit).collect::<String>());
            skipped += digits.map_or(Some(0), |digits| digits.parse().ok())?;
        }
    }
    Some(skipped)
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
    fn without_names_a_run_that_is_well_says_how_many_there_were() {
        let Reading::Tests(tests) = read("..s\n------\nRan 3 tests in 0.001s\n\nOK (skipped=1)\n") else {
            panic!("they are counted");
        };
        assert_eq!(tests.iter().count(), 2);
        // An end that the tests didn't have, and one before it.
        for text in [
            "..\nRan 2 tests in 0.001s\n\nFAILED (failures=2)\n",
            "..\nRan 2 tests in 0.001s\n",
            "Ran 1 test in 0.001s\n\nOK\nRan 1 test in 0.001s\n\nFAILED (errors=1)\n",
        ] {
            assert_eq!(read(text), Reading::Unnamed, "{text}");
        }
        assert_eq!(read("..\n"), Reading::Nothing);
    }

    #[test]
    fn dots_name_nothing() {
        assert_eq!(
            read(".F.\nRan 3 tests in 0.001s\n\nFAILED (failures=1)\n"),
            Reading::Unnamed
        );
    }
}
