//! From runs of the tests on both sides to what they say about the fix. Pure.
//!
//! The fix is blamed only for a test that failed in every run with it and passed in every run without
//! it. For a test that fails at any fixed rate p on both sides, k runs on each look like that with
//! probability p^k (1-p)^k, which is at most 4^-k: 0.1 % with the default of 5 runs, whatever the rate.

use holdpoint_schemas::evidence::{CheckResult, FlakyTest, StepEnd, Verdict};
use std::collections::{BTreeMap, BTreeSet};

use super::{describe_end, result};
use crate::plan::Restored;
use crate::scrutiny::Scrutiny;
use crate::test_report::{Tally, TestRuns};

/// Names that go into one result.
const MAX_NAMES: usize = 20;
/// The rate that the residual probability is given for.
const EXAMPLE_RATE: f64 = 0.3;

/// What is known about the tests of both sides.
#[derive(Debug, Clone, Copy)]
pub struct TestRecord<'a> {
    /// Runs on the base.
    pub before: &'a TestRuns,
    /// Runs on the candidate.
    pub after: &'a TestRuns,
    /// How the candidate's first run ended.
    pub first: &'a StepEnd,
    /// The base's tests on the candidate.
    pub restored: Option<&'a Restored>,
    /// Runs that red tests take on each side before the fix is blamed for them.
    pub blaming_runs: u32,
    /// What is asked for.
    pub scrutiny: &'a Scrutiny,
}

/// What the tests say about the fix.
#[must_use]
pub fn judge_tests(record: &TestRecord<'_>) -> CheckResult {
    let steps: [fn(&TestRecord<'_>) -> Option<CheckResult>; 7] = [
        broken_by_the_fix,
        flaky_tests,
        red_baseline,
        red_as_a_whole,
        base_tests,
        fewer_tests,
        too_few_runs,
    ];
    steps
        .iter()
        .find_map(|step| step(record))
        .unwrap_or_else(|| passed(record))
}

fn passed(record: &TestRecord<'_>) -> CheckResult {
    let runs = record.after.runs();
    let mut text = "`test` passes with and without the fix".to_owned();
    if runs > 1 {
        text.push_str(&format!(
            ", in {runs} runs with it and {} without",
            record.before.runs()
        ));
    }
    result(Verdict::Passed, text)
}

fn broken_by_the_fix(record: &TestRecord<'_>) -> Option<CheckResult> {
    let (before, after) = (record.before, record.after);
    if before.green == 0 || before.as_a_whole || after.as_a_whole {
        return None;
    }
    let broken: Vec<_> = after
        .broken()
        .filter(|name| !record.scrutiny.known_flaky.contains(*name))
        // A test that is new with the fix has no runs without it.
        .filter(|name| before.tests.get(*name).is_none_or(Tally::always_passed))
        .collect();
    (!broken.is_empty()).then(|| {
        if let Some(unsure) = too_few_to_blame(record, &broken) {
            return unsure;
        }
        let mut failed = result(
            Verdict::Failed,
            format!(
                "`test` fails with the fix in {} of {} runs: {}",
                after.red,
                after.runs(),
                first_of(&broken)
            ),
        );
        failed.details = details(broken);
        failed
    })
}

/// The machine failed before there were as many runs as it takes to tell a broken test from a flaky one.
fn too_few_to_blame(record: &TestRecord<'_>, broken: &[&str]) -> Option<CheckResult> {
    let runs = record.after.runs().min(record.before.runs());
    (runs < record.blaming_runs).then(|| {
        let reason = format!(
            "`test` fails with the fix{}, but could not be run often enough to tell whether it is flaky",
            named(broken)
        );
        with_details(Verdict::Inconclusive, reason, details(broken.iter().copied()))
    })
}

/// Every test that is known to be flaky: seen on either side, or before.
#[must_use]
pub fn all_flaky(before: &TestRuns, after: &TestRuns, known: &BTreeSet<String>) -> Vec<FlakyTest> {
    let mut all: BTreeMap<String, FlakyTest> = BTreeMap::new();
    for side in [before, after] {
        for flaky in side.flaky() {
            let sum = all.entry(flaky.name.clone()).or_insert_with(|| FlakyTest {
                name: flaky.name.clone(),
                runs: 0,
                failed: 0,
            });
            sum.runs += flaky.runs;
            sum.failed += flaky.failed;
        }
        for name in known.iter().filter(|name| side.tests.contains_key(*name)) {
            all.entry(name.clone()).or_insert_with(|| {
                let tally = side.tests.get(name).copied().unwrap_or_default();
                FlakyTest {
                    name: name.clone(),
                    runs: tally.passed + tally.failed,
                    failed: tally.failed,
                }
            });
        }
    }
    all.into_values().collect()
}

fn flaky_tests(record: &TestRecord<'_>) -> Option<CheckResult> {
    let flaky = all_flaky(record.before, record.after, &record.scrutiny.known_flaky);
    let names: Vec<_> = flaky.iter().map(|test| test.name.as_str()).collect();
    (!flaky.is_empty()).then(|| {
        let mut unsure = result(
            Verdict::Inconclusive,
            format!("flaky tests prove nothing: {}", first_of(&names)),
        );
        unsure.details = details(flaky.iter().map(|test| match test.failed {
            0 => format!("{}: flaky in earlier runs", test.name),
            failed => format!(
                "{}: failed in {failed} of {} runs on the same tree",
                test.name, test.runs
            ),
        }));
        unsure
    })
}

fn red_baseline(record: &TestRecord<'_>) -> Option<CheckResult> {
    (record.before.green == 0).then(|| {
        let names: Vec<_> = record.before.broken().collect();
        let mut unsure = result(
            Verdict::Inconclusive,
            format!(
                "the baseline is already red: `test` fails without the fix{}",
                named(&names)
            ),
        );
        unsure.details = details(names);
        unsure
    })
}

fn red_as_a_whole(record: &TestRecord<'_>) -> Option<CheckResult> {
    (record.after.green == 0).then(|| {
        if let Some(unsure) = too_few_to_blame(record, &[]) {
            return unsure;
        }
        result(
            Verdict::Failed,
            format!("`test` fails with the fix: {}", describe_end(record.first)),
        )
    })
}

fn base_tests(record: &TestRecord<'_>) -> Option<CheckResult> {
    let restored = record.restored?;
    if !restored.mixed.is_empty() {
        let files: Vec<_> = restored.mixed.iter().map(String::as_str).collect();
        let reason = format!("the fix changes how tests are run, in {}", first_of(&files));
        return Some(with_details(Verdict::Inconclusive, reason, details(files)));
    }
    let files = details(restored.files.iter().map(String::as_str));
    match &restored.end {
        None => {
            let reason = "the fix changes tests, and does not build with those of the base";
            return Some(with_details(Verdict::Inconclusive, reason.to_owned(), files));
        }
        Some(StepEnd::Exited { .. }) => {}
        Some(end) => {
            let reason = format!("the base's tests give no answer with the fix: {}", describe_end(end));
            return Some(with_details(Verdict::Inconclusive, reason, files));
        }
    }
    if restored.runs.red == 0 {
        return None;
    }
    let broken: Vec<_> = restored.runs.broken().collect();
    let dropped: Vec<_> = broken
        .iter()
        .copied()
        .filter(|name| record.after.tests.get(*name).is_none_or(|tally| tally.passed == 0))
        .filter(|name| record.before.tests.get(*name).is_some_and(|tally| tally.passed > 0))
        .collect();
    if restored.runs.green == 0 && !dropped.is_empty() && !record.after.as_a_whole {
        let reason = format!("the fix breaks a test and takes it away: {}", first_of(&dropped));
        return Some(with_details(Verdict::Failed, reason, details(dropped)));
    }
    let reason = format!(
        "the tests pass as the fix changes them, but not as they were{}",
        named(&broken)
    );
    let shown = if broken.is_empty() { files } else { details(broken) };
    Some(with_details(Verdict::Inconclusive, reason, shown))
}

/// Tests that passed on the base and don't run any more.
fn fewer_tests(record: &TestRecord<'_>) -> Option<CheckResult> {
    if record.before.as_a_whole {
        return None;
    }
    let ran = |runs: &TestRuns, name: &String| runs.tests.get(name).is_some_and(|tally| tally.passed > 0);
    if record.after.as_a_whole {
        let reason = "the base's tests can be told apart, the candidate's can't";
        return Some(result(Verdict::Inconclusive, reason));
    }
    let gone: Vec<_> = record
        .before
        .tests
        .iter()
        .filter(|(name, tally)| {
            tally.passed > 0
                && !ran(record.after, name)
                && !record.restored.is_some_and(|restored| ran(&restored.runs, name))
        })
        .map(|(name, _)| name.as_str())
        .collect();
    (!gone.is_empty()).then(|| {
        let reason = format!(
            "tests that pass on the base don't run with the fix: {}",
            first_of(&gone)
        );
        with_details(Verdict::Inconclusive, reason, details(gone))
    })
}

fn too_few_runs(record: &TestRecord<'_>) -> Option<CheckResult> {
    let (runs, wanted) = (record.after.green, record.scrutiny.clean_runs);
    (runs < wanted).then(|| {
        let missed = 100.0 * Scrutiny::missed(EXAMPLE_RATE, runs + record.before.green);
        result(
            Verdict::Inconclusive,
            format!(
                "`test` passed, but in {runs} runs only; {wanted} are asked for (a test that fails {:.0} % of the time \
                 would not have been seen with a probability of {missed:.2} %)",
                100.0 * EXAMPLE_RATE
            ),
        )
    })
}

fn with_details(verdict: Verdict, reason: String, details: Vec<String>) -> CheckResult {
    CheckResult {
        verdict,
        reason,
        details,
    }
}

fn first_of(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [only] => format!("`{only}`"),
        [first, rest @ ..] => format!("`{first}` and {} more", rest.len()),
    }
}

fn named(names: &[&str]) -> String {
    if names.is_empty() {
        String::new()
    } else {
        format!(": {}", first_of(names))
    }
}

fn details<S: Into<String>>(lines: impl IntoIterator<Item = S>) -> Vec<String> {
    lines.into_iter().take(MAX_NAMES).map(Into::into).collect()
}

#[cfg(test)]
mod tests;
