//! How much a green is doubted: what the class of a fix and the level it may reach ask for.

use std::collections::BTreeSet;

/// Clean runs of the candidate's tests that a pass takes where it may lead to an automatic merge: a test
/// that fails 30 % of the time stays green through all of them in 0.7^20 = 0.08 % of cases, and through
/// as many more on the baseline in 0.7^40 = 0.00006 %.
pub const AUTO_APPLY_RUNS: u32 = 20;
/// Seconds that the clean runs of one side may take: with a suite that is slower than 45 s a pass needs
/// more time by configuration, or is inconclusive.
pub const AUTO_APPLY_SECONDS: u64 = 900;

/// How much a green is doubted. The default asks for nothing beyond the tests' first run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scrutiny {
    /// Runs of the candidate's tests without a failure that a pass takes, the first one included; 0 and 1
    /// mean that the first will do. [`AUTO_APPLY_RUNS`] where the fix could be applied automatically.
    pub clean_runs: u32,
    /// Seconds of run time that may go into them on each side; when they are used up the pass is
    /// inconclusive.
    pub clean_seconds: u64,
    /// Tests that were flaky in earlier runs, by the names in their records.
    pub known_flaky: BTreeSet<String>,
    /// Lines of the candidate, by path and number, that use the upgraded dependency's symbols.
    pub used_lines: BTreeSet<(String, u32)>,
    /// Whether some test must notice when the fix is undone or changed.
    pub sensitivity: bool,
    /// Why the fix can't be taken back, if it can't: it migrates data, or rotates a secret.
    pub irreversible: Option<String>,
}

impl Scrutiny {
    /// The probability that a test which fails with this probability is never seen to, in so many runs.
    #[must_use]
    pub fn missed(failing: f64, runs: u32) -> f64 {
        (1.0 - failing).powi(i32::try_from(runs).unwrap_or(i32::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twenty_clean_runs_leave_less_than_a_thousandth() {
        assert!(Scrutiny::missed(0.3, AUTO_APPLY_RUNS) < 0.001);
        assert!(Scrutiny::missed(0.3, 2 * AUTO_APPLY_RUNS) < 0.000_001);
    }
}
