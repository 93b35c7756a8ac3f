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
    let lane = Lane::new("flags", stage).matching(LaneMatch {
        kinds: Some(vec!["config-flag".to_owned()]),
        ..LaneMatch::default()
    });
    Rollout {
        lanes: vec![lane],
        ..Rollout::default()
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
                facts: digest.clone(),
                diff: None,
                base: None,
                tree: None,
                evidence: None,
                rollout: digest.clone(),
                caps: digest,
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

/// What changes about the approvals that a suggestion needs, both ways.
fn promotions(old: &[&str], new: &[&str]) -> Vec<(String, bool)> {
    let recorded = [on_record(&[flag()], Phase::Release)];
    let (old, new) = (pack(old), pack(new));
    let there = simulate(&old, &new, &rollout(Level::Suggest), &recorded);
    let back = simulate(&new, &old, &rollout(Level::Suggest), &recorded);
    let told = |simulation: &Simulation| -> Vec<(String, bool)> {
        let changes = simulation.changed.iter().flat_map(|change| &change.promotions);
        changes.map(|one| (one.approvals.clone(), one.to)).collect()
    };
    let reversed: Vec<(String, bool)> = told(&back).into_iter().map(|(who, to)| (who, !to)).collect();
    assert_eq!(told(&there), reversed);
    // What opens for some and shuts for others is looser both ways.
    for simulation in [&there, &back] {
        let opens = told(simulation).iter().any(|(_, to)| *to);
        assert_eq!(
            (simulation.looser, simulation.stricter),
            (usize::from(opens), usize::from(!opens))
        );
    }
    told(&there)
}

fn permits(condition: &str) -> String {
    APPROVED.replace("context has approval.verified && context.approval.verified", condition)
}

#[test]
fn a_promotion_that_opens_is_looser_even_at_the_same_level() {
    let opened = promotions(&[OPEN], &[OPEN, APPROVED]);
    assert!(opened.contains(&("one approver".to_owned(), true)), "{opened:?}");
    assert!(opened.contains(&("the author's approval alone".to_owned(), true)));
    assert!(opened.iter().all(|(who, _)| who != "no approver"));
    let unasked = promotions(&[OPEN, APPROVED], &[OPEN, &permits("true")]);
    let expected = ["no approver", "the approvals on record"].map(|who| (who.to_owned(), true));
    assert_eq!(unasked, expected);
}

#[test]
fn fewer_approvers_or_the_author_alone_are_looser() {
    let at_least = |number: i64| {
        permits(&format!(
            "context has approval.independent_approvers && context.approval.independent_approvers >= {number}"
        ))
    };
    let one = |who: &str| (who.to_owned(), true);
    assert_eq!(
        promotions(&[OPEN, &at_least(2)], &[OPEN, &at_least(1)]),
        [one("one approver"), one("the author and one approver")]
    );
    // Numbers that no one would guess.
    assert_eq!(
        promotions(&[OPEN, &at_least(7_001)], &[OPEN, &at_least(7_000)]),
        [one("7000 approvers"), one("the author and 7000 approvers")]
    );
    let independent = APPROVED.replace(
        "&& context.approval.verified",
        "&& context.approval.verified && context has approval.independent && context.approval.independent",
    );
    assert_eq!(
        promotions(&[OPEN, &independent], &[OPEN, APPROVED]),
        [one("the author's approval alone")]
    );
    let people = |number: i64| {
        permits(&format!(
            "context has approval.approvers && context.approval.approvers == {number}"
        ))
    };
    assert_eq!(
        promotions(&[OPEN, &people(5)], &[OPEN, &people(6)]),
        [
            ("the author and 4 approvers".to_owned(), false),
            ("5 approvers".to_owned(), false),
            one("the author and 5 approvers"),
            one("6 approvers"),
        ]
    );
}

#[test]
fn a_lifted_demand_on_approvers_is_named() {
    const TWO: &str = r#"@id("two") @reason("two people") forbid (principal, action == Action::"promote", resource)
        unless { context has approval.independent_approvers && context.approval.independent_approvers >= 2 };"#;
    let recorded = [on_record(&[flag()], Phase::Release)];
    let (old, new) = (pack(&[OPEN, APPROVED, TWO]), pack(&[OPEN, APPROVED]));
    let told = simulate(&old, &new, &rollout(Level::AutoApply), &recorded);
    assert_eq!(told.looser, 1);
    assert_eq!(told.changed[0].lifted, BTreeSet::from(["two".to_owned()]));
    let text = crate::output::simulation::human(&told);
    assert!(
        text.contains(
            "merge with the author's approval alone, one approver or the author and one approver: denied -> permitted\n"
        ),
        "{text}"
    );
}

#[test]
fn every_fact_of_approval_is_supposed() {
    let supposed = Approvals::By {
        others: 1,
        author: true,
    }
    .suppose(&FactSet::new());
    let all = FactTable::shipped()
        .rows()
        .filter(|row| row.actions == [holdpoint_schemas::fact::Action::Promote]);
    assert_eq!(
        all.map(|row| row.id).collect::<BTreeSet<_>>(),
        supposed.known().map(|(id, _)| id).collect::<BTreeSet<_>>()
    );
}

#[test]
fn packs_of_one_name_are_told_apart() {
    let (old, new) = (pack(&[OPEN, APPROVED]), pack(&[OPEN]));
    let told = simulate(&old, &new, &rollout(Level::Suggest), &[]);
    let text = crate::output::simulation::human(&told);
    let (old, new) = (old.digest().short(), new.digest().short());
    assert!(
        text.starts_with(&format!(
            "0 recorded decisions replayed: `p` (the estate's, {old}) against `p` ({new})\n"
        )),
        "{text}"
    );
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
