use super::*;
use crate::policy::PolicySource;
use holdpoint_schemas::Level;
use holdpoint_schemas::fact::{Fact, FactSet, FactTable, FactValue};
use holdpoint_schemas::pack::{Answer, Case};

fn pack() -> Pack {
    let text = r#"
@id("mechanical") @reason("It is mechanical.")
permit (principal, action == Action::"autoApply", resource)
when { context has fix.class && context.fix.class == "mechanical" };
@id("any") @reason("A person looks.")
permit (principal, action == Action::"suggest", resource)
when { context has fix.class };
@id("freeze") @reason("It is frozen.") @unknown("Nobody knows whether it is frozen.")
forbid (principal, action == Action::"autoApply", resource)
unless { context has change.freeze_active && !context.change.freeze_active };
@id("approved") @reason("Someone approved it.")
permit (principal, action == Action::"promote", resource)
when { context has approval.verified && context.approval.verified };
@id("overflows") @reason("It can't be evaluated.")
forbid (principal, action == Action::"promote", resource)
when { context has service.tier && context.service.tier * 3 > 12 };
"#;
    let source = PolicySource {
        path: "p.cedar".to_owned(),
        text: text.to_owned(),
    };
    Pack::compile("test", &[source], FactTable::shipped()).unwrap()
}

fn case(facts: &[(&str, FactValue)], expected: Case) -> ResolvedCase {
    let mut set = FactSet::new();
    for (id, value) in facts {
        let fact = Fact {
            value: value.clone(),
            source: "test".to_owned(),
            observed_at: jiff::Timestamp::UNIX_EPOCH,
            note: None,
        };
        set.insert(id, fact);
    }
    ResolvedCase {
        case: expected,
        facts: set,
        path: "c.yaml".to_owned(),
        line: 1,
    }
}

/// Failures of a mechanical fix on a frozen service.
fn frozen(expected: Case) -> Vec<String> {
    let facts = [
        ("fix.class", "mechanical".into()),
        ("change.freeze_active", true.into()),
        ("approval.verified", true.into()),
    ];
    run(&pack(), &case(&facts, expected)).failures
}

fn ids(ids: &[&str]) -> Option<Vec<String>> {
    Some(ids.iter().map(|id| (*id).to_owned()).collect())
}

#[test]
fn a_case_passes_when_everything_is_as_expected() {
    let expected = Case {
        level: Some(Level::Suggest),
        bounds: ids(&["freeze"]),
        reasons: vec!["frozen".to_owned()],
        promote: Some(Answer::Permitted),
        promote_bounds: ids(&[]),
        ..Case::default()
    };
    assert_eq!(frozen(expected), [""; 0]);
    let limits = Case {
        at_most: Some(Level::Suggest),
        at_least: Some(Level::Suggest),
        ..Case::default()
    };
    assert_eq!(frozen(limits), [""; 0]);
}

#[test]
fn everything_that_is_otherwise_is_told() {
    let expected = Case {
        level: Some(Level::AutoApply),
        bounds: ids(&["freze", "no-permit"]),
        reasons: vec!["Nobody knows".to_owned()],
        promote: Some(Answer::Denied),
        promote_bounds: ids(&["no-permit"]),
        ..Case::default()
    };
    assert_eq!(
        frozen(expected),
        [
            "expected auto-apply, got suggest",
            "expected bounds `freze`, `no-permit`, got `freeze`; the pack has no policy `freze`",
            "expected promotion to be denied, but it is permitted",
            "expected promote_bounds `no-permit`, got none",
            "expected a reason that says `Nobody knows`, but none does",
        ]
    );
    let limits = |at_least, at_most| Case {
        at_least,
        at_most,
        ..Case::default()
    };
    assert_eq!(
        frozen(limits(Some(Level::AutoApply), None)),
        ["expected at least auto-apply, got suggest"]
    );
    assert_eq!(
        frozen(limits(None, Some(Level::Alert))),
        ["expected at most alert, got suggest"]
    );
}

#[test]
fn no_permit_is_a_bound_like_any_other() {
    let expected = Case {
        level: Some(Level::Alert),
        bounds: ids(&["freeze", "no-permit"]),
        reasons: vec![
            "Nobody knows whether it is frozen".to_owned(),
            "no policy permits".to_owned(),
        ],
        ..Case::default()
    };
    assert_eq!(run(&pack(), &case(&[], expected)).failures, [""; 0]);
}

#[test]
fn a_policy_that_cannot_be_evaluated_fails_a_case_that_expects_less() {
    let expected = Case {
        promote: Some(Answer::Denied),
        ..Case::default()
    };
    let facts = [("service.tier", i64::MAX.into())];
    let failures = run(&pack(), &case(&facts, expected)).failures;
    assert_eq!(failures.len(), 1);
    assert!(failures[0].starts_with("policy `overflows` couldn't be evaluated"));
}

/// Coverage of a policy by cases, with its conditions as `text yes/no`.
fn covered(id: &str, cases: &[ResolvedCase]) -> (usize, Vec<String>) {
    let pack = pack();
    let bench = Bench::new(&pack);
    let rows: Vec<_> = cases.iter().map(|case| bench.row(case)).collect();
    let coverage = bench.coverage(id, &rows).unwrap();
    let line = |atom: &AtomCoverage| {
        let gap = atom.gap().map(|gap| format!(", {gap}")).unwrap_or_default();
        format!("{}: {}/{}{gap}", atom.text, atom.yes, atom.no)
    };
    (coverage.decided, coverage.conditions.iter().map(line).collect())
}

#[test]
fn coverage_counts_what_the_cases_see() {
    let level = |level| Case {
        level: Some(level),
        ..Case::default()
    };
    let ready = [
        ("fix.class", "mechanical".into()),
        ("change.freeze_active", false.into()),
    ];
    let frozen = [
        ("fix.class", "mechanical".into()),
        ("change.freeze_active", true.into()),
    ];
    let goes = case(&ready, level(Level::AutoApply));
    let waits = case(&frozen, level(Level::Suggest));
    let has = "context has change.freeze_active";
    let active = "context.change.freeze_active";
    assert_eq!(
        covered("freeze", &[]),
        (
            0,
            vec![
                format!("{has}: 0/0, never reached"),
                format!("{active}: 0/0, never reached")
            ]
        )
    );
    assert_eq!(
        covered("freeze", std::slice::from_ref(&goes)),
        (
            0,
            vec![format!("{has}: 1/0, never false"), format!("{active}: 0/1, never true")]
        )
    );
    assert_eq!(
        covered("freeze", &[goes.clone(), waits.clone()]),
        (1, vec![format!("{has}: 2/0, never false"), format!("{active}: 1/1")])
    );
    // Nothing is known: what comes after `&&` isn't reached.
    let unknown = case(&[], level(Level::Alert));
    assert_eq!(
        covered("freeze", &[unknown]).1[1],
        format!("{active}: 0/0, never reached")
    );
    // `suggest` is asked only where `autoApply` is withheld, and decides only there.
    assert_eq!(
        covered("any", &[goes.clone(), waits.clone()]),
        (1, vec!["context has fix.class: 1/0, never false".to_owned()])
    );
    assert_eq!(covered("mechanical", &[goes.clone(), waits]).0, 1);
    // No case speaks of promotion.
    assert_eq!(covered("approved", &[goes]).0, 0);
}

#[test]
fn a_case_about_promotion_alone_covers_only_that() {
    let expected = Case {
        promote: Some(Answer::Permitted),
        ..Case::default()
    };
    let approved = case(
        &[("approval.verified", true.into()), ("fix.class", "logic".into())],
        expected,
    );
    assert_eq!(covered("approved", std::slice::from_ref(&approved)).0, 1);
    assert_eq!(covered("any", std::slice::from_ref(&approved)).0, 0);
    assert!(Bench::new(&pack()).coverage("nothing", &[]).is_none());
}
