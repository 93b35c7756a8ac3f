use holdpoint_engine::policy::PolicySource;
use holdpoint_schemas::actor::Remediator;
use holdpoint_schemas::decision::{Decision, InputDigests, Phase};
use holdpoint_schemas::fact::{Fact, FactValue};
use holdpoint_schemas::rollout::{Lane, LaneMatch};
use holdpoint_schemas::service::ServiceId;

use super::*;

const OPEN: &str = r#"@id("open") @reason("all may") permit (principal, action in [Action::"suggest", Action::"autoApply"], resource);"#;
const FROZEN: &str = r#"@id("frozen") @reason("frozen") forbid (principal, action == Action::"autoApply", resource)
    unless { context has change.freeze_active && !context.change.freeze_active };"#;
const TESTED: &str = r#"@id("tested") @reason("untested") forbid (principal, action, resource)
    unless { context has evidence.test.verdict && context.evidence.test.verdict == "passed" };"#;
const APPROVED: &str = r#"@id("approved") @reason("approved") permit (principal, action == Action::"promote", resource)
    when { context has approval.verified && context.approval.verified };"#;

fn pack(texts: &[&str]) -> Pack {
    let source = PolicySource {
        path: "p.cedar".to_owned(),
        text: texts.join("\n"),
    };
    Pack::compile("p", &[source], FactTable::shipped()).unwrap()
}

fn rollout(stage: Level) -> Rollout {
    let lane = Lane {
        name: "flags".to_owned(),
        matches: LaneMatch {
            kinds: Some(vec!["config-flag".to_owned()]),
            environments: None,
            tiers: None,
        },
        stage,
    };
    Rollout {
        default_stage: Level::Suggest,
        lanes: vec![lane],
    }
}

fn on_record(facts: &[(&str, FactValue)], phase: Phase) -> Recorded {
    let mut set = FactSet::new();
    for (id, value) in facts {
        let fact = Fact {
            value: value.clone(),
            source: "test".to_owned(),
            observed_at: holdpoint_schemas::Timestamp::UNIX_EPOCH,
            note: None,
        };
        set.insert(id, fact);
    }
    let digest = Digest::of_bytes(b"x");
    Recorded {
        id: "f1".to_owned(),
        title: "A flag".to_owned(),
        decision: Decision {
            id: digest.clone(),
            finding: serde_json::from_value(serde_json::json!("f1")).unwrap(),
            repo: "r".to_owned(),
            branch: "main".to_owned(),
            service: ServiceId::from("s"),
            fix: Some(digest.clone()),
            remediator: Remediator("bot".to_owned()),
            phase,
            level: Level::Suggest,
            bounds: Vec::new(),
            permitted_by: Vec::new(),
            facts: set,
            at: holdpoint_schemas::Timestamp::UNIX_EPOCH,
            inputs: InputDigests {
                policies: digest.clone(),
                schema: digest.clone(),
                facts: digest,
                diff: None,
                base: None,
                tree: None,
                evidence: None,
            },
        },
    }
}

fn flag() -> (&'static str, FactValue) {
    ("fix.kind", "config-flag".into())
}

#[test]
fn a_dropped_forbid_is_looser_and_named() {
    let recorded = [on_record(
        &[flag(), ("change.freeze_active", true.into())],
        Phase::Release,
    )];
    let (old, new) = (pack(&[OPEN, FROZEN]), pack(&[OPEN]));
    let looser = simulate(&old, &new, &rollout(Level::AutoApply), &recorded);
    assert_eq!((looser.looser, looser.stricter), (1, 0));
    let change = &looser.changed[0];
    assert_eq!((change.from, change.to), (Level::Suggest, Level::AutoApply));
    assert_eq!(change.lifted, BTreeSet::from(["frozen".to_owned()]));
    assert_eq!(looser.lanes["flags"], looser.moves);
    let stricter = simulate(&new, &old, &rollout(Level::AutoApply), &recorded);
    assert_eq!((stricter.looser, stricter.stricter), (0, 1));
    assert_eq!(stricter.changed[0].added, BTreeSet::from(["frozen".to_owned()]));
}

#[test]
fn the_lane_caps_both_sides() {
    let recorded = [on_record(
        &[flag(), ("change.freeze_active", true.into())],
        Phase::Release,
    )];
    let same = simulate(
        &pack(&[OPEN, FROZEN]),
        &pack(&[OPEN]),
        &rollout(Level::Suggest),
        &recorded,
    );
    assert!(same.changed.is_empty());
    assert_eq!(
        same.moves,
        [Move {
            from: Level::Suggest,
            to: Level::Suggest,
            count: 1
        }]
    );
}

#[test]
fn a_triage_decision_is_replayed_with_the_evidence_still_possible() {
    let facts = [flag(), ("change.freeze_active", false.into())];
    let (old, new) = (pack(&[OPEN]), pack(&[OPEN, TESTED]));
    let triage = simulate(
        &old,
        &new,
        &rollout(Level::AutoApply),
        &[on_record(&facts, Phase::Triage)],
    );
    assert!(triage.changed.is_empty());
    let release = simulate(
        &old,
        &new,
        &rollout(Level::AutoApply),
        &[on_record(&facts, Phase::Release)],
    );
    assert_eq!(release.changed[0].to, Level::Alert);
}

#[test]
fn a_promotion_that_opens_is_looser_even_at_the_same_level() {
    let recorded = [on_record(&[flag()], Phase::Release)];
    let shut = simulate(
        &pack(&[OPEN]),
        &pack(&[OPEN, APPROVED]),
        &rollout(Level::Suggest),
        &recorded,
    );
    assert_eq!(shut.looser, 1);
    assert_eq!(shut.changed[0].promote, Flip { from: false, to: true });
    assert_eq!(
        shut.changed[0].promote_without_approval,
        Flip { from: false, to: false }
    );
    let anyone = APPROVED.replace("context has approval.verified && context.approval.verified", "true");
    let unapproved = simulate(
        &pack(&[OPEN, APPROVED]),
        &pack(&[OPEN, &anyone]),
        &rollout(Level::Suggest),
        &recorded,
    );
    assert_eq!(unapproved.looser, 1);
    assert!(unapproved.changed[0].promote_without_approval.is_looser());
}

#[test]
fn without_a_fix_nothing_goes_anywhere() {
    let mut one = on_record(&[flag()], Phase::Triage);
    one.decision.fix = None;
    let same = simulate(&pack(&[FROZEN]), &pack(&[OPEN]), &rollout(Level::AutoApply), &[one]);
    assert!(same.changed.is_empty());
}

#[test]
fn facts_that_are_no_more_are_said_and_left_out() {
    let one = on_record(&[flag(), ("org.gone", "x".into())], Phase::Release);
    let result = simulate(&pack(&[OPEN]), &pack(&[OPEN]), &rollout(Level::AutoApply), &[one]);
    assert_eq!(
        result.notes,
        [
            "1 decision was recorded under another schema of facts; what it has no more counts as unknown",
            "`org.gone` is no longer such a fact: left out of 1 decision"
        ]
    );
}
