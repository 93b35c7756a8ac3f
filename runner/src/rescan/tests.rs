use super::words::MAX_NAMED;
use super::*;
use holdpoint_schemas::finding::{FindingClass, Location, Severity};

pub(super) fn finding(rule: &str, key: &str, line: u32) -> Finding {
    Finding {
        fingerprint: Fingerprint::of([rule, key]),
        scanner: "bandit".to_owned(),
        rule: rule.to_owned(),
        title: format!("{rule} title"),
        severity: Severity::High,
        class: FindingClass::Code,
        cwes: Vec::new(),
        aliases: Vec::new(),
        component: None,
        location: Some(Location {
            path: format!("{key}.py"),
            line: Some(line),
        }),
        iac_address: None,
        fixed_versions: Vec::new(),
        details: holdpoint_schemas::finding::FindingDetails::default(),
    }
}

fn compare(baseline: &[Finding], candidate: &[Finding], resolves: &[Finding]) -> (CheckResult, Vec<Finding>) {
    let side = |findings| Side {
        findings,
        files: &NoFiles,
    };
    super::compare(side(baseline), side(candidate), resolves)
}

#[test]
fn a_finding_that_is_gone_with_nothing_new_passes() {
    let md5 = finding("B324", "a", 3);
    let other = finding("B101", "b", 1);
    let (result, added) = compare(&[md5.clone(), other.clone()], &[other], &[md5]);
    assert_eq!(
        (result.verdict, result.reason.as_str()),
        (Verdict::Passed, "the finding is gone and nothing new")
    );
    assert!(added.is_empty());
}

#[test]
fn a_new_finding_fails_and_is_named_with_its_place() {
    let md5 = finding("B324", "a", 3);
    let shell = finding("B602", "a", 9);
    let (result, added) = compare(
        std::slice::from_ref(&md5),
        std::slice::from_ref(&shell),
        std::slice::from_ref(&md5),
    );
    assert_eq!(result.verdict, Verdict::Failed);
    assert_eq!(result.reason, "the fix adds one new finding: B602 at a.py:9");
    assert_eq!(added, [shell]);
}

#[test]
fn a_second_occurrence_of_a_known_flaw_is_new() {
    let md5 = finding("B324", "a", 3);
    let known = finding("B101", "b", 1);
    let again = finding("B101", "b", 7);
    let (result, added) = compare(&[md5.clone(), known.clone()], &[known, again], &[md5]);
    assert_eq!(result.verdict, Verdict::Failed);
    assert_eq!(added.len(), 1);
}

#[test]
fn a_finding_that_stays_fails() {
    let md5 = finding("B324", "a", 3);
    let moved = finding("B324", "a", 8);
    let (result, _) = compare(std::slice::from_ref(&md5), &[moved], std::slice::from_ref(&md5));
    assert_eq!(result.verdict, Verdict::Failed);
    assert!(
        result.reason.starts_with("the finding is still there"),
        "{}",
        result.reason
    );
}

#[test]
fn what_no_scanner_looks_for_is_inconclusive() {
    let mut drift = finding("drift", "main", 1);
    drift.class = FindingClass::Drift;
    let (result, _) = compare(&[finding("B101", "b", 1)], &[finding("B101", "b", 1)], &[drift]);
    assert_eq!(result.verdict, Verdict::Inconclusive);
    assert_eq!(
        result.reason,
        "no re-scan looks at findings of the kind `drift`: drift at main.py:1"
    );
}

#[test]
fn resolving_nothing_is_inconclusive() {
    assert_eq!(compare(&[], &[], &[]).0.verdict, Verdict::Inconclusive);
}

#[test]
fn hostile_titles_and_paths_are_cleaned_and_bounded() {
    let many: Vec<_> = (0..500)
        .map(|n| {
            let mut f = finding("R\x1b[2J", &n.to_string(), n);
            f.title = "x\u{7}\n".repeat(10_000);
            f
        })
        .collect();
    let (result, _) = compare(&[], &many, &[]);
    assert!(result.details.len() <= MAX_NAMED + 1);
    assert!(
        result
            .details
            .iter()
            .chain([&result.reason])
            .all(|t| t.len() < 2_000 && !t.contains('\u{1b}'))
    );
}

#[test]
fn states_tell_new_unchanged_updated_and_absent_apart() {
    let stays = finding("A", "a", 1);
    let moved = finding("A", "a", 5);
    let before = finding("B", "b", 1);
    let mut milder = before.clone();
    milder.severity = Severity::Low;
    let goes = finding("C", "c", 1);
    let comes = finding("D", "d", 1);
    let mut found: Vec<_> = states(&[stays, before, goes], &[moved, milder, comes])
        .into_iter()
        .map(|state| (state.rule, state.state))
        .collect();
    found.sort();
    let rule = |name: &str| name.to_owned();
    assert_eq!(
        found,
        [
            (rule("A"), State::Unchanged),
            (rule("B"), State::Updated),
            (rule("C"), State::Absent),
            (rule("D"), State::New)
        ]
    );
}

#[test]
fn what_became_worse_is_new() {
    let before = finding("B", "b", 1);
    let mut worse = before.clone();
    worse.severity = Severity::Critical;
    let found: Vec<_> = states(&[before], &[worse])
        .into_iter()
        .map(|state| state.state)
        .collect();
    assert_eq!(found, [State::New, State::Absent]);
}
