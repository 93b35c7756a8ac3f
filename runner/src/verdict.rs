//! From how the steps ended to what that says about the fix. Pure.

mod covered;
mod single_tests;

use holdpoint_schemas::evidence::{CheckResult, StepEnd, Verdict};

pub use covered::judge_covered;
pub use single_tests::{TestRecord, all_flaky, judge_tests};

/// A check's result without details.
pub(crate) fn result(verdict: Verdict, reason: impl Into<String>) -> CheckResult {
    CheckResult {
        verdict,
        reason: reason.into(),
        details: Vec::new(),
    }
}

/// How a step ended, as the end of a sentence: "it exited with status 1".
#[must_use]
pub fn describe_end(end: &StepEnd) -> String {
    match end {
        StepEnd::Exited { code } => format!("it exited with status {code}"),
        StepEnd::OutOfMemory => "it ran out of memory".to_owned(),
        StepEnd::TimedOut { after_seconds } => format!("it did not end within {after_seconds} s"),
        StepEnd::Killed => "it was killed by somebody (signal 9)".to_owned(),
        StepEnd::OutOfDisk => "it used up the workspace's disk".to_owned(),
        StepEnd::EngineLost { reason } => format!("the engine went away: {reason}"),
        StepEnd::MissingTool => "a command it needs is not in the sandbox".to_owned(),
        StepEnd::Infrastructure { reason } => format!("the sandbox failed: {reason}"),
    }
}

/// What a step says about the fix, from how it ended on both sides. `step` is its name.
///
/// Only a step that ended by itself, red on the candidate and green on the baseline, is a failure
/// of the fix. What ran out of time or memory, or broke with the machine, tells nothing.
#[must_use]
pub fn judge_step(step: &str, baseline: &StepEnd, candidate: &StepEnd) -> CheckResult {
    match (baseline, candidate) {
        (StepEnd::Exited { code: 0 }, StepEnd::Exited { code: 0 }) => {
            result(Verdict::Passed, format!("`{step}` passes with and without the fix"))
        }
        (StepEnd::Exited { code: 0 }, StepEnd::Exited { .. }) => result(
            Verdict::Failed,
            format!("`{step}` fails with the fix: {}", describe_end(candidate)),
        ),
        (StepEnd::Exited { code: 0 }, _) => result(
            Verdict::Inconclusive,
            format!("`{step}` gives no answer on the candidate: {}", describe_end(candidate)),
        ),
        (StepEnd::Exited { .. }, _) => result(
            Verdict::Inconclusive,
            format!(
                "the baseline is already red: `{step}` fails without the fix ({})",
                describe_end(baseline)
            ),
        ),
        (_, _) => result(
            Verdict::Inconclusive,
            format!("`{step}` gives no answer on the baseline: {}", describe_end(baseline)),
        ),
    }
}

/// Nothing to run is no evidence. `what` completes "no … configured".
#[must_use]
pub fn not_configured(what: &str) -> CheckResult {
    result(Verdict::Inconclusive, format!("no {what} configured"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GREEN: StepEnd = StepEnd::Exited { code: 0 };
    const RED: StepEnd = StepEnd::Exited { code: 1 };

    fn no_answers() -> [StepEnd; 7] {
        [
            StepEnd::Killed,
            StepEnd::OutOfDisk,
            StepEnd::EngineLost {
                reason: "connection reset".to_owned(),
            },
            StepEnd::OutOfMemory,
            StepEnd::TimedOut { after_seconds: 5 },
            StepEnd::MissingTool,
            StepEnd::Infrastructure {
                reason: "no space left on device".to_owned(),
            },
        ]
    }

    fn verdict(baseline: &StepEnd, candidate: &StepEnd) -> Verdict {
        judge_step("test", baseline, candidate).verdict
    }

    #[test]
    fn green_on_both_sides_passes() {
        assert_eq!(verdict(&GREEN, &GREEN), Verdict::Passed);
    }

    #[test]
    fn red_only_with_the_fix_fails() {
        let result = judge_step("test", &GREEN, &RED);
        assert_eq!(result.verdict, Verdict::Failed);
        assert_eq!(result.reason, "`test` fails with the fix: it exited with status 1");
    }

    #[test]
    fn a_red_baseline_is_never_blamed_on_the_fix() {
        for candidate in [GREEN, RED].into_iter().chain(no_answers()) {
            let result = judge_step("test", &RED, &candidate);
            assert_eq!(result.verdict, Verdict::Inconclusive);
            assert!(
                result.reason.starts_with("the baseline is already red: "),
                "{}",
                result.reason
            );
        }
    }

    #[test]
    fn no_answer_on_either_side_is_inconclusive_and_says_why() {
        for end in no_answers() {
            let on_candidate = judge_step("test", &GREEN, &end);
            assert_eq!(on_candidate.verdict, Verdict::Inconclusive);
            assert!(
                on_candidate.reason.ends_with(&describe_end(&end)),
                "{}",
                on_candidate.reason
            );
            for candidate in [GREEN, RED].into_iter().chain(no_answers()) {
                let on_baseline = judge_step("test", &end, &candidate);
                assert_eq!(on_baseline.verdict, Verdict::Inconclusive);
                assert!(
                    on_baseline.reason.ends_with(&describe_end(&end)),
                    "{}",
                    on_baseline.reason
                );
            }
        }
    }

    #[test]
    fn only_two_green_sides_pass() {
        let ends: Vec<_> = [GREEN, RED].into_iter().chain(no_answers()).collect();
        let passed = ends
            .iter()
            .flat_map(|b| ends.iter().map(move |c| (b, c)))
            .filter(|(b, c)| verdict(b, c) == Verdict::Passed);
        assert_eq!(passed.count(), 1);
    }
}
