use holdpoint_engine::counterfactual::effort;
use holdpoint_schemas::decision::Bound;
use holdpoint_schemas::fact::{FACTS, Fact, FactType};

use super::*;
use crate::output::samples;
use crate::pipeline::packs;

/// A decision on these facts: id, value (`None`: unknown), note.
fn decision(facts: &[(&str, Option<FactValue>, &str)]) -> Decision {
    let mut decision = samples::frozen().decision;
    for (id, value, note) in facts {
        match value {
            Some(value) => decision.facts.insert(
                id,
                Fact {
                    value: value.clone(),
                    source: "test".to_owned(),
                    observed_at: samples::at(),
                    note: (!note.is_empty()).then(|| (*note).to_owned()),
                },
            ),
            None => decision.facts.insert_unknown(id, *note),
        }
    }
    decision
}

fn change(decision: &Decision, id: &str, to: FactValue) -> FactChange {
    let from = decision.facts.get(id).map(|fact| fact.value.clone());
    FactChange {
        id: id.to_owned(),
        effort: effort(id, from.as_ref()),
        from,
        to,
    }
}

fn to_auto_apply(facts: &[(&str, Option<FactValue>, &str)], to: &[FactValue]) -> String {
    let decision = decision(facts);
    let changes: Vec<FactChange> = facts
        .iter()
        .zip(to)
        .map(|((id, ..), to)| change(&decision, id, to.clone()))
        .collect();
    words(Action::AutoApply, &changes, &decision)
}

fn set(words: &[&str]) -> FactValue {
    FactValue::Set(words.iter().map(|word| (*word).to_owned()).collect())
}

#[test]
fn a_freeze_is_named_with_its_end_and_a_contract_with_its_two_sides() {
    let facts = [
        (
            "change.freeze_active",
            Some(true.into()),
            "the freeze `Winter sale` ends 2027-01-02T06:00:00Z",
        ),
        (
            "evidence.contract.verdict",
            Some("inconclusive".into()),
            "no contract is recorded for the consumer `gateway`",
        ),
    ];
    assert_eq!(
        to_auto_apply(&facts, &[false.into(), "passed".into()]),
        "Auto-apply if the freeze `Winter sale` ends (2027-01-02 06:00 UTC), and a contract is recorded for \
         gateway → accounts and holds."
    );
}

#[test]
fn what_would_become_known_is_one_clause() {
    let facts = [
        ("service.production", None, ""),
        ("service.tier", None, ""),
        ("change.drift_explained", None, ""),
    ];
    assert_eq!(
        to_auto_apply(&facts, &[false.into(), 1.into(), true.into()]),
        "Auto-apply if it is on record that a merge doesn't reach production, that the service is tier 1 and who \
         made the live change, and why."
    );
}

#[test]
fn another_fix_is_told_by_what_it_would_be() {
    let facts = [
        ("fix.class", Some("logic".into()), ""),
        ("fix.governance_files", Some(true.into()), ""),
        ("fix.upgrade_step", Some("major".into()), ""),
        ("evidence.test.verdict", Some("failed".into()), "3 tests fail"),
    ];
    assert_eq!(
        to_auto_apply(
            &facts,
            &["mechanical".into(), false.into(), "patch".into(), "passed".into()]
        ),
        "Auto-apply if another fix comes that changes no program logic, touches no file that governs changes, moves \
         dependencies by patch releases only and passes the test check."
    );
}

#[test]
fn a_service_is_told_by_what_differs() {
    let facts = [
        ("service.data_classes", Some(set(&["cardholder", "health"])), ""),
        ("service.tier", Some(0.into()), ""),
    ];
    assert_eq!(
        to_auto_apply(&facts, &[set(&["health"]), 1.into()]),
        "Auto-apply if the service handles no cardholder data and the service is tier 1 instead of 0."
    );
}

#[test]
fn one_control_is_named_and_of_several_all_end() {
    let one = "hands-off control `H-1` on `src`, held by ada until 2027-01-02T06:00:00Z: a migration: half done";
    let id = "change.touches_hands_off";
    assert_eq!(
        to_auto_apply(&[(id, Some(true.into()), one)], &[false.into()]),
        "Auto-apply if the hands-off control `H-1` on `src`, held by ada until 2027-01-02T06:00:00Z, ends."
    );
    let two = format!("{one}; {one}");
    assert_eq!(
        to_auto_apply(&[(id, Some(true.into()), &two)], &[false.into()]),
        "Auto-apply if the controls that it touches end."
    );
}

#[test]
fn a_rollout_stage_is_one_more_condition() {
    let mut decision = decision(&[("change.freeze_active", Some(true.into()), "")]);
    let bound = |id: &str| Bound {
        kind: BoundKind::RolloutStage,
        id: id.to_owned(),
        ..samples::frozen().decision.bounds[0].clone()
    };
    decision.bounds = vec![bound("settings")];
    let end = change(&decision, "change.freeze_active", false.into());
    let ways = |set| Further {
        ways: vec![Ways {
            target: Action::AutoApply,
            sets: vec![set],
            complete: true,
        }],
        same_policies: true,
        table: FactTable::shipped().clone(),
    };
    let with_end = &all(&ways(vec![end.clone()]), &decision)[0];
    assert_eq!(
        with_end.words,
        "Auto-apply if the code freeze ends; and if rollout lane `settings` is raised to auto-apply."
    );
    assert_eq!(with_end.who.last().unwrap(), "whoever keeps the estate's rollout file");
    let alone = &all(&ways(vec![]), &decision)[0];
    assert_eq!(
        alone.words,
        "Auto-apply if rollout lane `settings` is raised to auto-apply."
    );
    decision.bounds = vec![
        bound("settings"),
        Bound {
            kind: BoundKind::Shadow,
            ..bound("settings")
        },
    ];
    assert_eq!(
        words(Action::AutoApply, &[], &decision),
        "Auto-apply if rollout lane `settings` is raised to auto-apply and rollout lane `settings` leaves shadow mode."
    );
    decision.bounds = vec![bound("default")];
    assert_eq!(
        words(Action::AutoApply, &[], &decision),
        "Auto-apply if the rollout file gets a lane that takes such fixes to auto-apply."
    );
    assert_eq!(words(Action::Promote, &[], &decision), "Merge: the policies permit it.");
}

#[test]
fn every_fact_can_be_told_and_has_someone_to_ask() {
    for row in FACTS.iter() {
        let to = match row.fact_type {
            FactType::Bool => false.into(),
            FactType::Long => 3.into(),
            FactType::Word(words) => words[0].into(),
            FactType::Text => "staging".into(),
            FactType::Set => set(&["health"]),
        };
        for from in [None, Some(any(row.fact_type))] {
            let decision = decision(&[(row.id, from, "")]);
            let changes = [change(&decision, row.id, to.clone())];
            let words = words(Action::Suggest, &changes, &decision);
            assert!(words.starts_with("Suggest if ") && !words.contains(row.id), "{words}");
            assert!(
                !who(Action::Suggest, &changes, FactTable::shipped(), &decision).is_empty(),
                "{words}"
            );
        }
    }
}

fn any(fact_type: FactType) -> FactValue {
    match fact_type {
        FactType::Bool => true.into(),
        FactType::Long => 1.into(),
        FactType::Word(words) => words[words.len() - 1].into(),
        FactType::Text => "production".into(),
        FactType::Set => set(&["cardholder"]),
    }
}

#[test]
fn the_shipped_packs_ways_are_worked_out_from_the_recorded_facts() {
    let item = samples::unknown_service();
    let pack = packs::open(std::path::Path::new("."), "baseline", FactTable::shipped())
        .unwrap()
        .pack;
    let further = Further::of(&pack, &item);
    assert!(!further.same_policies, "the sample was decided by no real pack");
    let ways = all(&further, &item.decision);
    assert_eq!(ways[0].target, Action::Suggest);
    assert!(
        ways[0].words.contains("a catalogue describes the service"),
        "{}",
        ways[0].words
    );
}
