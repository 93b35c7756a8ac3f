use super::*;
use crate::test_report::TestEnd;

const RED: StepEnd = StepEnd::Exited { code: 1 };

type Run<'a> = (bool, &'a [(&'a str, TestEnd)]);

fn runs(of: &[Run<'_>]) -> TestRuns {
    let mut all = TestRuns::default();
    for (green, tests) in of {
        all.add(*green, Some(tests.iter().copied().collect()));
    }
    all
}

fn whole(ends: &[bool]) -> TestRuns {
    let mut all = TestRuns::default();
    for green in ends {
        all.add(*green, None);
    }
    all
}

fn judge(before: &TestRuns, after: &TestRuns) -> CheckResult {
    judge_with(before, after, None, &Scrutiny::default())
}

fn judge_with(before: &TestRuns, after: &TestRuns, restored: Option<&Restored>, scrutiny: &Scrutiny) -> CheckResult {
    judge_tests(&TestRecord {
        before,
        after,
        first: &RED,
        restored,
        blaming_runs: 1,
        scrutiny,
    })
}

const P: TestEnd = TestEnd::Passed;
const F: TestEnd = TestEnd::Failed;
const S: TestEnd = TestEnd::Skipped;

#[test]
fn a_test_that_always_fails_with_the_fix_only_is_the_fixs_fault() {
    let before = runs(&[(true, &[("a", P), ("b", P)]), (true, &[("a", P), ("b", P)])]);
    let after = runs(&[(false, &[("a", F), ("b", P)]), (false, &[("a", F), ("b", P)])]);
    let found = judge(&before, &after);
    assert_eq!(found.verdict, Verdict::Failed);
    assert_eq!(found.reason, "`test` fails with the fix in 2 of 2 runs: `a`");
    assert_eq!(found.details, ["a"]);
}

#[test]
fn a_flaky_test_neither_fails_nor_passes_a_fix() {
    let green: Run<'_> = (true, &[("a", P), ("b", P)]);
    let red: Run<'_> = (false, &[("a", F), ("b", P)]);
    for (before, after) in [
        (vec![green], vec![red, green]),
        (vec![green, red], vec![red, red]),
        (vec![green, red], vec![green]),
        (vec![red, green], vec![green]),
        (vec![green, red], vec![green, red]),
    ] {
        let found = judge(&runs(&before), &runs(&after));
        assert_eq!(found.verdict, Verdict::Inconclusive, "{before:?} {after:?}");
        assert_eq!(found.reason, "flaky tests prove nothing: `a`");
    }
}

#[test]
fn a_broken_test_is_found_beside_a_flaky_one() {
    let before = runs(&[(true, &[("a", P), ("b", P)]), (false, &[("a", F), ("b", P)])]);
    let after = runs(&[(false, &[("a", P), ("b", F)]), (false, &[("a", F), ("b", F)])]);
    assert_eq!(judge(&before, &after).details, ["b"]);
}

#[test]
fn whole_steps_are_judged_alike() {
    assert_eq!(
        judge(&whole(&[true, true]), &whole(&[false, false])).verdict,
        Verdict::Failed
    );
    assert_eq!(judge(&whole(&[true, true]), &whole(&[true])).verdict, Verdict::Passed);
    for (before, after) in [
        (whole(&[true, false]), whole(&[false, false])),
        (whole(&[true]), whole(&[false, true])),
        (whole(&[false, false]), whole(&[false])),
        (whole(&[false, false]), whole(&[true])),
    ] {
        assert_eq!(judge(&before, &after).verdict, Verdict::Inconclusive);
    }
}

#[test]
fn a_test_known_to_be_flaky_is_no_proof_even_when_it_passes() {
    let before = runs(&[(true, &[("a", P), ("b", P)])]);
    let scrutiny = Scrutiny {
        known_flaky: BTreeSet::from(["a".to_owned(), "not here".to_owned()]),
        ..Scrutiny::default()
    };
    let found = judge_with(&before, &before, None, &scrutiny);
    assert_eq!(found.verdict, Verdict::Inconclusive);
    assert_eq!(found.details, ["a: flaky in earlier runs"]);
    let red = runs(&[(false, &[("a", F), ("b", P)])]);
    assert_eq!(
        judge_with(&before, &red, None, &scrutiny).verdict,
        Verdict::Inconclusive
    );
}

#[test]
fn a_test_that_the_fix_removes_or_skips_counts_against_it() {
    let before = runs(&[(true, &[("a", P), ("b", P), ("off", S)])]);
    for after in [runs(&[(true, &[("a", P)])]), runs(&[(true, &[("a", P), ("b", S)])])] {
        let found = judge(&before, &after);
        assert_eq!(found.verdict, Verdict::Inconclusive);
        assert_eq!(found.reason, "tests that pass on the base don't run with the fix: `b`");
    }
    assert_eq!(judge(&before, &whole(&[true])).verdict, Verdict::Inconclusive);
    assert_eq!(
        judge(&before, &runs(&[(true, &[("a", P), ("b", P), ("new", P)])])).verdict,
        Verdict::Passed
    );
}

fn restored(green: bool, tests: &[(&str, TestEnd)]) -> Restored {
    Restored {
        files: vec!["tests/test_a.py".to_owned()],
        end: Some(StepEnd::Exited {
            code: i64::from(!green),
        }),
        runs: runs(&[(green, tests)]),
        ..Restored::default()
    }
}

#[test]
fn the_bases_tests_decide_where_the_fix_changes_them() {
    let none = Scrutiny::default();
    let before = runs(&[(true, &[("a", P), ("b", P)])]);
    let without_b = runs(&[(true, &[("a", P)])]);
    let as_before = restored(true, &[("a", P), ("b", P)]);
    assert_eq!(
        judge_with(&before, &without_b, Some(&as_before), &none).verdict,
        Verdict::Passed
    );
    let hides = restored(false, &[("a", P), ("b", F)]);
    let found = judge_with(&before, &without_b, Some(&hides), &none);
    assert_eq!(found.verdict, Verdict::Failed);
    assert_eq!(found.reason, "the fix breaks a test and takes it away: `b`");
    let changed = judge_with(&before, &before, Some(&hides), &none);
    assert_eq!(changed.verdict, Verdict::Inconclusive);
    assert_eq!(
        changed.reason,
        "the tests pass as the fix changes them, but not as they were: `b`"
    );
    let mixed = Restored {
        mixed: vec!["pom.xml".to_owned()],
        ..Restored::default()
    };
    let unbuilt = Restored::default();
    for restored in [mixed, unbuilt] {
        assert_eq!(
            judge_with(&before, &before, Some(&restored), &none).verdict,
            Verdict::Inconclusive
        );
    }
}

#[test]
fn a_pass_takes_as_many_clean_runs_as_are_asked_for() {
    let scrutiny = Scrutiny {
        clean_runs: 3,
        ..Scrutiny::default()
    };
    let before = whole(&[true; 3]);
    let found = judge_with(&before, &whole(&[true; 2]), None, &scrutiny);
    assert_eq!(found.verdict, Verdict::Inconclusive);
    assert!(
        found.reason.contains("in 2 runs only; 3 are asked for"),
        "{}",
        found.reason
    );
    assert_eq!(
        judge_with(&before, &whole(&[true; 3]), None, &scrutiny).verdict,
        Verdict::Passed
    );
}

#[test]
fn a_red_test_that_could_not_be_run_again_is_not_blamed_on_the_fix() {
    for (before, after) in [
        (runs(&[(true, &[("a", P)])]), runs(&[(false, &[("a", F)])])),
        (whole(&[true]), whole(&[false])),
    ] {
        let found = judge_tests(&TestRecord {
            before: &before,
            after: &after,
            first: &RED,
            restored: None,
            blaming_runs: 2,
            scrutiny: &Scrutiny::default(),
        });
        assert_eq!(found.verdict, Verdict::Inconclusive);
        assert!(
            found.reason.contains("could not be run often enough"),
            "{}",
            found.reason
        );
    }
}
