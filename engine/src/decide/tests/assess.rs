//! A pack alone, on bare facts.

use holdpoint_schemas::Level;

use super::fixtures::{BASELINE, fact};
use crate::decide::assess;
use holdpoint_schemas::fact::FactSet;

#[test]
fn without_facts_nothing_is_permitted_and_promotion_is_withheld_too() {
    let assessment = assess(&BASELINE, &FactSet::new());
    assert_eq!(assessment.level, Level::Alert);
    assert!(assessment.permitted_by.is_empty());
    assert!(assessment.bounds.iter().any(|bound| bound.id == "unknown-service"));
    assert!(
        assessment
            .promote_bounds
            .iter()
            .any(|bound| bound.id == "unknown-service")
    );
}

#[test]
fn evidence_is_a_fact_like_any_other_here() {
    let mut facts = FactSet::new();
    for (id, value) in [
        ("service.known", true),
        ("change.reverts_break_glass", false),
        ("change.touches_compensating_control", false),
        ("change.touches_hands_off", false),
    ] {
        facts.insert(id, fact(value));
    }
    facts.insert("fix.class", fact("logic"));
    facts.insert("fix.kind", fact("logic"));
    for check in ["build", "test", "contract", "rescan"] {
        facts.insert(&format!("evidence.{check}.verdict"), fact("passed"));
    }
    let assessment = assess(&BASELINE, &facts);
    assert_eq!(assessment.level, Level::Suggest);
    assert_eq!(assessment.permitted_by, ["suggest-any-fix"]);
    facts.insert("evidence.test.verdict", fact("failed"));
    assert_eq!(assess(&BASELINE, &facts).level, Level::Alert);
}
