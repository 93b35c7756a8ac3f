//! What an emergency lifts, and what it doesn't whatever a pack says.

use std::sync::LazyLock;

use holdpoint_schemas::evidence::{Check, Verdict};
use holdpoint_schemas::fact::FactTable;
use holdpoint_schemas::fix::FixKind;

use super::fixtures::{BASELINE, Case};
use crate::decide::may_promote;
use crate::policy::{Pack, PolicySource};

/// A pack as careless as can be: in an emergency it permits whatever there is.
static CARELESS: LazyLock<Pack> = LazyLock::new(|| {
    let source = PolicySource {
        path: "p.cedar".to_owned(),
        text: r#"@id("suggested") @reason("fine") permit (principal, action == Action::"suggest", resource);
            @id("burning") @reason("it burns") permit (principal, action == Action::"promote", resource)
            when { context has approval.emergency && context.approval.emergency };"#
            .to_owned(),
    };
    Pack::compile("careless", &[source], FactTable::shipped()).unwrap()
});

fn emergency() -> Case {
    Case::harmless(FixKind::ConfigFlag).set("approval.emergency", true)
}

fn withheld(pack: &Pack, case: &Case) -> Vec<String> {
    let permission = may_promote(pack, &case.question()).unwrap();
    assert_eq!(permission.permitted, permission.bounds.is_empty());
    permission.bounds.into_iter().map(|bound| bound.id).collect()
}

#[test]
fn an_emergency_lifts_what_asks_for_it() {
    assert!(withheld(&CARELESS, &emergency()).is_empty());
    let no_permit = ["no-permit"];
    assert_eq!(
        withheld(&CARELESS, &emergency().set("approval.emergency", false)),
        no_permit
    );
    assert_eq!(
        withheld(&CARELESS, &emergency().unknown("approval.emergency", "")),
        no_permit
    );
}

#[test]
fn no_pack_lets_an_emergency_past_evidence_controls_or_an_unknown_service() {
    for check in Check::ALL {
        let failed = emergency().checked(check, Verdict::Failed, "it breaks");
        assert_eq!(
            withheld(&CARELESS, &failed),
            [format!("no-emergency/{}", check.fact_id())],
            "{check}"
        );
        let open = emergency().checked(check, Verdict::Inconclusive, "it can't be told");
        assert!(withheld(&CARELESS, &open).is_empty(), "{check}");
    }
    for (id, bad) in [
        ("service.known", false),
        ("change.reverts_break_glass", true),
        ("change.touches_compensating_control", true),
        ("change.touches_hands_off", true),
    ] {
        let bound = [format!("no-emergency/{id}")];
        assert_eq!(withheld(&CARELESS, &emergency().set(id, bad)), bound);
        assert_eq!(withheld(&CARELESS, &emergency().unknown(id, "")), bound);
    }
}

#[test]
fn checks_that_have_not_run_are_not_passed_by_an_emergency() {
    let mut none = emergency();
    none.evidence = None;
    assert_eq!(
        withheld(&CARELESS, &none),
        ["build", "contract", "rescan", "test"].map(|check| format!("no-emergency/evidence.{check}.verdict"))
    );
}

#[test]
fn a_pack_that_does_not_ask_for_emergencies_is_not_loosened_by_one() {
    assert_eq!(withheld(&BASELINE, &emergency()), ["no-permit"]);
}
