//! Single tests, read from what test runners print and write: which ran, passed, failed, were skipped.
//!
//! One reader per format, and one line per reader in [`READERS`]. A reader answers only when it can
//! name everything that the runner's own summary counts; else the step is judged as a whole.

mod cargo;
mod go;
mod jest;
mod junit;
mod node_spec;
mod pytest;
mod surefire;
mod tally;
mod tap;
mod unittest;
mod vitest;

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub use junit::{BadReport, read_junit};
pub use tally::{Tally, TestRuns};

use crate::text::clean_line;

/// Tests of one run that are told apart: the largest public suites have fewer.
pub const MAX_TESTS: usize = 100_000;

/// Ends what stands for the name of a test that is only counted.
pub(crate) const NAMELESS: &str = " of those without a name";

/// How one test ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TestEnd {
    /// It didn't run.
    Skipped,
    /// It passed.
    Passed,
    /// It failed.
    Failed,
}

/// The tests of one run, by name. Of several with one name the worst counts: failed, then passed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SingleTests(BTreeMap<String, TestEnd>);

impl SingleTests {
    /// Adds a test. The name is cleaned and shortened, because it comes from the sandbox.
    pub fn add(&mut self, name: &str, end: TestEnd) {
        let name = clean_line(name.trim().as_bytes());
        if self.0.len() < MAX_TESTS || self.0.contains_key(&name) {
            let known = self.0.entry(name).or_insert(end);
            *known = end.max(*known);
        }
    }

    /// Adds all tests of another run.
    pub fn merge(&mut self, other: Self) {
        for (name, end) in other.0 {
            self.add(&name, end);
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether some were left out for their number.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.0.len() >= MAX_TESTS
    }

    /// Names and ends, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, TestEnd)> {
        self.0.iter().map(|(name, end)| (name.as_str(), *end))
    }
}

impl<S: AsRef<str>> FromIterator<(S, TestEnd)> for SingleTests {
    fn from_iter<I: IntoIterator<Item = (S, TestEnd)>>(tests: I) -> Self {
        let mut all = Self::default();
        for (name, end) in tests {
            all.add(name.as_ref(), end);
        }
        all
    }
}

/// What a reader found in an output.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Reading {
    /// Nothing of this format.
    Nothing,
    /// This format, but not every test has a name: passing ones are often only counted.
    Unnamed,
    /// Every test.
    Tests(SingleTests),
}

/// What the tests' names are checked against: a summary that says how many there were.
fn checked(tests: SingleTests, named: u64, counted: Option<u64>) -> Reading {
    match counted {
        Some(counted) if counted > named => Reading::Unnamed,
        _ if tests.is_empty() => Reading::Nothing,
        _ => Reading::Tests(tests),
    }
}

/// Reads a whole output, without escape sequences.
type Reader = fn(&str) -> Reading;

/// Every format that is known.
const READERS: [(&str, Reader); 9] = [
    ("cargo test", cargo::read),
    ("go test", go::read),
    ("jest", jest::read),
    ("maven surefire", surefire::read),
    ("node --test, spec", node_spec::read),
    ("pytest", pytest::read),
    ("tap", tap::read),
    ("unittest", unittest::read),
    ("vitest", vitest::read),
];

/// The single tests of a test step's output; an output may hold several runners' results. `None`: they
/// can't all be told apart.
#[must_use]
pub fn read_output(output: &[u8]) -> Option<SingleTests> {
    let mut text = String::with_capacity(output.len());
    for line in output.split(|byte| *byte == b'\n') {
        text.push_str(&clean_line(line));
        text.push('\n');
    }
    let mut all = SingleTests::default();
    for (_, read) in READERS {
        match read(&text) {
            Reading::Nothing => {}
            Reading::Unnamed => return None,
            Reading::Tests(tests) => all.merge(tests),
        }
    }
    (!all.is_empty() && !all.is_cut()).then_some(all)
}

/// The number in front of a word of a summary: 3 for `passed` in "1 failed, 3 passed".
fn counted(summary: &str, word: &str) -> Option<u64> {
    let mut last = None;
    for part in summary.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '(' | ')' | '|' | '=')) {
        if part == word {
            return last;
        }
        if !part.is_empty() {
            last = part.parse().ok();
        }
    }
    None
}

/// A name without the duration that follows it in parentheses, as in `adds (1.5ms)`.
fn without_duration(name: &str) -> &str {
    let name = name.trim_end();
    match name.rsplit_once(" (") {
        Some((front, back)) if back.ends_with("s)") && back.starts_with(|c: char| c.is_ascii_digit()) => front,
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_tests_with_one_name_the_worse_counts() {
        let tests: SingleTests = [("a", TestEnd::Failed), ("a", TestEnd::Passed), ("b", TestEnd::Skipped)]
            .into_iter()
            .collect();
        assert_eq!(
            tests.iter().collect::<Vec<_>>(),
            [("a", TestEnd::Failed), ("b", TestEnd::Skipped)]
        );
    }

    #[test]
    fn an_output_of_no_known_runner_is_not_told_apart() {
        assert_eq!(read_output(b"all fine\n3 things were ok\n"), None);
        assert_eq!(read_output(b""), None);
    }

    #[test]
    fn an_output_may_hold_the_results_of_several_runners() {
        let output = b"running 1 test\ntest a ... ok\n\ntest result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out\n\
            ok 1 - b\n1..1\n";
        let tests = read_output(output).unwrap();
        assert_eq!(
            tests.iter().collect::<Vec<_>>(),
            [("a", TestEnd::Passed), ("b", TestEnd::Passed)]
        );
    }

    #[test]
    fn one_runner_that_names_nothing_spoils_the_whole_output() {
        let output = b"running 1 test\ntest a ... ok\n\ntest result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out\n\
            ....F\nRan 5 tests in 0.1s\n\nFAILED (failures=1)\n";
        assert_eq!(read_output(output), None);
    }

    #[test]
    fn escape_sequences_do_not_hide_a_result() {
        let tests = read_output(b"\x1b[32mok 1 - a\x1b[0m\nnot ok 2 - b\n1..2\n").unwrap();
        assert_eq!(
            tests.iter().collect::<Vec<_>>(),
            [("a", TestEnd::Passed), ("b", TestEnd::Failed)]
        );
    }

    #[test]
    fn a_summary_is_read_by_its_words() {
        let summary = "== 1 failed, 3 passed, 2 skipped in 0.12s ==";
        assert_eq!(counted(summary, "failed"), Some(1));
        assert_eq!(counted(summary, "passed"), Some(3));
        assert_eq!(counted(summary, "errors"), None);
        assert_eq!(without_duration("adds (1.5ms)"), "adds");
        assert_eq!(without_duration("adds (twice)"), "adds (twice)");
    }
}
