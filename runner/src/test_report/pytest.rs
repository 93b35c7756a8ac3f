//! `pytest -v`, with or without xdist.

use super::{Reading, SingleTests, TestEnd, checked, counted};

const ENDS: [(&str, TestEnd); 6] = [
    ("PASSED", TestEnd::Passed),
    ("XFAIL", TestEnd::Passed),
    ("FAILED", TestEnd::Failed),
    ("ERROR", TestEnd::Failed),
    ("XPASS", TestEnd::Passed),
    ("SKIPPED", TestEnd::Skipped),
];

pub(super) fn read(text: &str) -> Reading {
    let mut tests = SingleTests::default();
    let (mut named, mut total) = (0, None);
    for line in text.lines() {
        if let Some(sum) = summary(line) {
            total = Some(total.unwrap_or(0) + sum);
        } else if let Some((name, end)) = result(line) {
            named += 1;
            tests.add(name, end);
        }
    }
    if total.is_none() {
        return Reading::Nothing;
    }
    checked(tests, named, total)
}

/// `===== 1 failed, 3 passed in 0.12s =====`
fn summary(line: &str) -> Option<u64> {
    let inner = line.strip_prefix("==")?.trim_matches('=');
    if !inner.contains(" in ") {
        return None;
    }
    let words = ["passed", "failed", "skipped", "xfailed", "xpassed", "error", "errors"];
    let counts: Vec<_> = words.iter().filter_map(|word| counted(inner, word)).collect();
    (!counts.is_empty()).then(|| counts.iter().sum())
}

/// `tests/test_a.py::test_x PASSED   [ 50%]`, and from xdist `[gw0] [ 50%] PASSED tests/test_a.py::test_x`.
fn result(line: &str) -> Option<(&str, TestEnd)> {
    if line.starts_with("[gw") {
        let (_, rest) = line.split_once("%] ")?;
        let (word, name) = rest.split_once(' ')?;
        return Some((name.trim(), end_of(word)?));
    }
    // In the short summary the word comes first; those lines are said twice.
    let at = ENDS
        .iter()
        .filter_map(|(word, _)| line.find(&format!(" {word}")))
        .min()?;
    let (name, rest) = line.split_at_checked(at)?;
    let file = name.split("::").next()?;
    if file.contains(' ') || !name.contains("::") {
        return None;
    }
    let word = rest.trim_start().split([' ', '(']).next()?;
    Some((name, end_of(word)?))
}

fn end_of(word: &str) -> Option<TestEnd> {
    ENDS.iter().find(|(known, _)| *known == word).map(|(_, end)| *end)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &str = "\
============================= test session starts ==============================
collected 4 items

tests/test_a.py::test_x PASSED                                           [ 25%]
tests/test_a.py::test_y[a b] FAILED                                      [ 50%]
tests/test_a.py::TestZ::test_z SKIPPED (later)                           [ 75%]
tests/test_a.py::test_w XFAIL                                            [100%]

=================================== FAILURES ===================================
=========================== short test summary info ============================
FAILED tests/test_a.py::test_y[a b] - assert 1 == 2
============== 1 failed, 1 passed, 1 skipped, 1 xfailed in 0.12s ===============
";

    #[test]
    fn every_end_is_told() {
        let Reading::Tests(tests) = read(OUTPUT) else {
            panic!("{:?}", read(OUTPUT));
        };
        assert_eq!(
            tests.iter().collect::<Vec<_>>(),
            [
                ("tests/test_a.py::TestZ::test_z", TestEnd::Skipped),
                ("tests/test_a.py::test_w", TestEnd::Passed),
                ("tests/test_a.py::test_x", TestEnd::Passed),
                ("tests/test_a.py::test_y[a b]", TestEnd::Failed),
            ]
        );
    }

    #[test]
    fn xdist_has_the_end_first() {
        let text = "[gw0] [ 50%] PASSED tests/test_a.py::test_x\n==== 1 passed in 0.1s ====\n";
        assert!(matches!(read(text), Reading::Tests(_)));
    }

    #[test]
    fn dots_name_nothing() {
        let text =
            "tests/test_a.py .F   [100%]\nFAILED tests/test_a.py::test_y - x\n== 1 failed, 1 passed in 0.1s ==\n";
        assert_eq!(read(text), Reading::Unnamed);
    }
}
