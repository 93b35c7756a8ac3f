//! Several runs of the same tests on the same tree, added up.

use holdpoint_schemas::evidence::FlakyTest;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use super::{NAMELESS, SingleTests, TestEnd};

/// What a whole step is called among the flaky tests, where single tests can't be told apart.
pub const WHOLE_STEP: &str = "test (the whole step)";

/// How often one test ended how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Runs in which it passed.
    pub passed: u32,
    /// Runs in which it failed.
    pub failed: u32,
    /// Runs in which it was skipped.
    pub skipped: u32,
}

impl Tally {
    /// Whether it ran at least once and never failed.
    #[must_use]
    pub const fn always_passed(&self) -> bool {
        self.passed > 0 && self.failed == 0
    }

    /// Whether it ran at least once and never passed.
    #[must_use]
    pub const fn always_failed(&self) -> bool {
        self.failed > 0 && self.passed == 0
    }

    /// Whether it both passed and failed.
    #[must_use]
    pub const fn is_flaky(&self) -> bool {
        self.failed > 0 && self.passed > 0
    }
}

/// Runs of one side's tests that ended by themselves.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestRuns {
    /// Runs with status 0.
    pub green: u32,
    /// Runs with another status.
    pub red: u32,
    /// Single tests by name; empty where some run's tests couldn't be told apart.
    #[serde(default)]
    pub tests: BTreeMap<String, Tally>,
    /// Whether some run's tests couldn't be told apart.
    #[serde(default)]
    pub as_a_whole: bool,
}

impl TestRuns {
    /// All runs.
    #[must_use]
    pub const fn runs(&self) -> u32 {
        self.green.saturating_add(self.red)
    }

    /// Whether single tests have names, and a run with a red one says which it is.
    #[must_use]
    pub fn names_tests(&self) -> bool {
        !self.as_a_whole && self.tests.keys().any(|name| !name.ends_with(NAMELESS))
    }

    /// Adds a run. `tests`: `None` where they can't be told apart.
    pub fn add(&mut self, green: bool, tests: Option<SingleTests>) {
        if green {
            self.green += 1;
        } else {
            self.red += 1;
        }
        match tests {
            Some(tests) if !self.as_a_whole => {
                for (name, end) in tests.iter() {
                    let tally = self.tests.entry(name.to_owned()).or_default();
                    match end {
                        TestEnd::Passed => tally.passed += 1,
                        TestEnd::Failed => tally.failed += 1,
                        TestEnd::Skipped => tally.skipped += 1,
                    }
                }
            }
            _ => {
                self.as_a_whole = true;
                self.tests.clear();
            }
        }
    }

    /// Adds the runs of the same tree that were made elsewhere.
    pub fn merge(&mut self, other: &Self) {
        if other.runs() == 0 {
            return;
        }
        let first = self.runs() == 0;
        self.green += other.green;
        self.red += other.red;
        self.as_a_whole = (self.as_a_whole && !first) || other.as_a_whole;
        if self.as_a_whole {
            self.tests.clear();
            return;
        }
        for (name, tally) in &other.tests {
            let sum = self.tests.entry(name.clone()).or_default();
            sum.passed += tally.passed;
            sum.failed += tally.failed;
            sum.skipped += tally.skipped;
        }
    }

    /// Tests that failed in every run in which they were started.
    pub fn broken(&self) -> impl Iterator<Item = &str> {
        let broken = self.tests.iter().filter(|(_, tally)| tally.always_failed());
        broken.map(|(name, _)| name.as_str())
    }

    /// Tests that passed in one run and failed in another; the whole step, where it did and no single
    /// test shows it.
    #[must_use]
    pub fn flaky(&self) -> Vec<FlakyTest> {
        let runs = self.runs();
        let mut flaky: Vec<_> = self
            .tests
            .iter()
            .filter(|(_, tally)| tally.is_flaky())
            .map(|(name, tally)| FlakyTest {
                name: name.clone(),
                runs: tally.passed + tally.failed,
                failed: tally.failed,
            })
            .collect();
        if flaky.is_empty() && self.green > 0 && self.red > 0 {
            flaky.push(FlakyTest {
                name: WHOLE_STEP.to_owned(),
                runs,
                failed: self.red,
            });
        }
        flaky
    }

    /// Whether more runs could still show that the tests are broken: every run was red, and, where single
    /// tests are told apart, one of them failed each time.
    #[must_use]
    pub fn may_be_broken(&self) -> bool {
        self.red > 0 && self.green == 0 && (self.tests.is_empty() || self.broken().next().is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs(of: &[(bool, &[(&str, TestEnd)])]) -> TestRuns {
        let mut all = TestRuns::default();
        for (green, tests) in of {
            all.add(*green, Some(tests.iter().copied().collect()));
        }
        all
    }

    #[test]
    fn a_test_that_passed_and_failed_is_flaky_and_not_broken() {
        let all = runs(&[
            (false, &[("a", TestEnd::Failed), ("b", TestEnd::Passed)]),
            (true, &[("a", TestEnd::Passed), ("b", TestEnd::Passed)]),
            (true, &[("a", TestEnd::Passed), ("b", TestEnd::Skipped)]),
        ]);
        assert_eq!(
            all.flaky(),
            [FlakyTest {
                name: "a".to_owned(),
                runs: 3,
                failed: 1
            }]
        );
        assert_eq!(all.broken().count(), 0);
        assert!(!all.may_be_broken());
    }

    #[test]
    fn two_flaky_tests_that_take_turns_are_not_one_broken_step() {
        let all = runs(&[
            (false, &[("a", TestEnd::Failed), ("b", TestEnd::Passed)]),
            (false, &[("a", TestEnd::Passed), ("b", TestEnd::Failed)]),
        ]);
        assert!(!all.may_be_broken());
        assert_eq!(all.flaky().len(), 2);
    }

    #[test]
    fn without_single_tests_the_whole_step_is_what_is_flaky() {
        let mut all = TestRuns::default();
        all.add(false, None);
        assert!(all.may_be_broken());
        all.add(true, None);
        assert!(!all.may_be_broken());
        assert_eq!(all.flaky()[0].name, WHOLE_STEP);
    }

    #[test]
    fn runs_made_elsewhere_add_up() {
        let mut all = runs(&[(true, &[("a", TestEnd::Passed)])]);
        all.merge(&runs(&[(false, &[("a", TestEnd::Failed)])]));
        assert_eq!((all.green, all.red, all.flaky().len()), (1, 1, 1));
        let mut unnamed = TestRuns::default();
        unnamed.add(true, None);
        all.merge(&unnamed);
        assert!(all.as_a_whole && all.tests.is_empty());
        let mut none = TestRuns::default();
        none.merge(&runs(&[(true, &[("a", TestEnd::Passed)])]));
        assert!(!none.as_a_whole);
    }
}
