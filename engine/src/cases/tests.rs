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
