//! Triage, the merge gate, promotion, and what a decision records.

use std::sync::LazyLock;

use holdpoint_schemas::Digest;
use holdpoint_schemas::Level::{Alert, AutoApply, Suggest};
use holdpoint_schemas::decision::{BoundKind, Decision, Phase};
use holdpoint_schemas::evidence::{Check, Verdict};
use holdpoint_schemas::fact::{Action, Fact, FactTable};
use holdpoint_schemas::fix::FixKind;
use holdpoint_schemas::rollout::{Lane, LaneMatch};

use super::fixtures::{BASELINE, Case, bound_ids, fact, now, words};
use crate::decide::{binding_facts_digest, decision_id, may_promote, merge_gate};
use crate::policy::{Pack, PolicySource};

fn flag() -> Case {
    Case::harmless(FixKind::ConfigFlag)
}

fn pack(text: &str) -> Pack {
    let source = PolicySource {
        path: "p.cedar".to_owned(),
        text: text.to_owned(),
    };
    Pack::compile("test", &[source], FactTable::shipped()).unwrap()
}

/// Permits everything, and has a policy that overflows when it knows how many files there are.
static OVERFLOWING: LazyLock<Pack> = LazyLock::new(|| {
    pack(
        r#"@id("all") @reason("fine") permit (principal, action, resource);
        @id("overflows") @reason("too many files")
        forbid (principal, action, resource)
        when { context has fix.files && context.fix.files * 9223372036854775807 > 9 };"#,
    )
});

#[test]
fn triage_asks_for_every_check_that_a_suggestion_or_a_merge_needs() {
    let triage = flag().triage(&BASELINE);
    assert_eq!(
        (triage.decision.level, triage.decision.phase),
        (AutoApply, Phase::Triage)
    );
    assert_eq!(triage.checks, Check::ALL);
}

#[test]
fn triage_runs_nothing_for_what_can_only_be_an_alert() {
    let triage = flag().set("change.reverts_break_glass", true).triage(&BASELINE);
    assert_eq!((triage.decision.level, triage.checks.len()), (Alert, 0));
    assert_eq!(bound_ids(&triage.decision), [(Suggest, "reverts-break-glass")]);
}

#[test]
fn triage_asks_only_for_checks_that_can_change_the_level() {
    let only_test = Check::ALL
        .iter()
        .filter(|check| **check != Check::Test)
        .fold(BASELINE.clone(), |pack, check| {
            pack.without(&format!("{check}-failed"))
                .without(&format!("{check}-not-passed"))
        });
    assert_eq!(flag().triage(&only_test).checks, [Check::Test]);
    // A human looks anyway, so the checks that only a merge without one needs aren't run.
    let only_merging = Check::ALL
        .iter()
        .fold(BASELINE.clone(), |pack, check| pack.without(&format!("{check}-failed")));
    assert!(flag().set("service.tier", 0).triage(&only_merging).checks.is_empty());
    assert_eq!(flag().triage(&only_merging).checks, Check::ALL);
}

#[test]
fn triage_keeps_the_evidence_that_is_there() {
    let mut case = flag();
    case.evidence = None;
    let case = case.checked(Check::Build, Verdict::Failed, "it doesn't compile");
    let triage = crate::decide::triage(&BASELINE, &case.question()).unwrap();
    assert_eq!((triage.decision.level, triage.checks.len()), (Alert, 0));
    let case = case.checked(Check::Build, Verdict::Passed, "");
    let triage = crate::decide::triage(&BASELINE, &case.question()).unwrap();
    let others: Vec<Check> = Check::ALL.into_iter().filter(|check| *check != Check::Build).collect();
    assert_eq!(triage.checks, others);
}

#[test]
fn triage_records_what_is_known_and_not_what_it_assumed() {
    let decision = flag().triage(&BASELINE).decision;
    for check in Check::ALL {
        let unknown = decision.facts.unknown(FactTable::shipped(), check.fact_id()).unwrap();
        assert_eq!(unknown.why, format!("the {check} check hasn't run"));
    }
    assert_eq!(decision.inputs.evidence, None);
}

#[test]
fn a_check_that_did_not_run_is_unknown_at_release_and_holds_the_fix() {
    let mut case = flag();
    case.evidence.as_mut().unwrap().checks.remove(&Check::Contract);
    let decision = case.release(&BASELINE);
    assert_eq!(decision.level, Alert);
    let bound = &decision.bounds[0];
    assert_eq!(
        (bound.id.as_str(), bound.kind),
        ("contract-failed", BoundKind::UnknownFact)
    );
    assert!(bound.unknowns[0].resolver.contains("sandbox run"));
    assert!(
        bound.reason.contains("the contract check hasn't run"),
        "{}",
        bound.reason
    );
}

#[test]
fn what_made_a_check_pointless_is_told_before_that_it_has_not_run() {
    let mut case = flag();
    let checks = &mut case.evidence.as_mut().unwrap().checks;
    checks.remove(&Check::Adequacy);
    checks.get_mut(&Check::Test).unwrap().verdict = Verdict::Inconclusive;
    let decision = case.release(&BASELINE);
    let ids = bound_ids(&decision);
    let place = |id: &str| ids.iter().position(|(_, bound)| *bound == id);
    assert!(place("adequacy-not-passed").is_some(), "{ids:?}");
    assert!(place("test-not-passed") < place("adequacy-not-passed"), "{ids:?}");
}

#[test]
fn evidence_comes_from_the_runner_and_never_from_a_collector() {
    let mut case = flag();
    case.evidence = None;
    for check in Check::ALL {
        case.facts.insert(check.fact_id(), fact("passed"));
    }
    assert_eq!(case.release(&BASELINE).level, Alert);
    let with_claims = flag().set("evidence.test.verdict", "failed");
    assert_eq!(with_claims.release(&BASELINE).level, AutoApply);
}

#[test]
fn no_fix_is_an_alert_that_says_so() {
    let mut case = flag();
    case.fix = None;
    let triage = case.triage(&BASELINE);
    assert_eq!((triage.decision.level, triage.checks.len()), (Alert, 0));
    assert_eq!(triage.decision.bounds[0].kind, BoundKind::NoFix);
    assert_eq!(triage.decision.remediator.0, "none");
    assert_eq!((triage.decision.fix, triage.decision.inputs.diff), (None, None));
}

#[test]
fn a_policy_that_errors_lowers_to_alert_and_is_named() {
    let decision = flag().set("fix.files", 2).release(&OVERFLOWING);
    assert_eq!(decision.level, Alert);
    let [bound] = decision.bounds.as_slice() else {
        panic!("{decision:#?}")
    };
    assert_eq!(
        (bound.kind, bound.id.as_str(), bound.withholds),
        (BoundKind::EvaluationError, "overflows", Suggest)
    );
    assert!(bound.reason.contains("overflow"), "{}", bound.reason);
    let permission = may_promote(&OVERFLOWING, &flag().set("fix.files", 2).question()).unwrap();
    assert!(!permission.permitted);
    // Without the error the policy that Cedar would have skipped is the only thing in the way.
    assert_eq!(flag().unknown("fix.files", "").release(&OVERFLOWING).level, AutoApply);
}

#[test]
fn a_stale_fact_is_unknown() {
    let mut case = flag();
    let stale = Fact {
        observed_at: "2026-03-15T02:29:59Z".parse().unwrap(),
        ..fact(false)
    };
    case.facts.insert("change.freeze_active", stale);
    let decision = case.release(&BASELINE);
    assert_eq!(bound_ids(&decision), [(AutoApply, "code-freeze")]);
    assert_eq!(decision.bounds[0].kind, BoundKind::UnknownFact);
    assert!(
        decision.bounds[0].reason.contains("older than 24 h"),
        "{}",
        decision.bounds[0].reason
    );
}

#[test]
fn the_lane_caps_the_level_and_is_named() {
    let mut case = flag();
    case.rollout.lanes = vec![Lane::new("production-flags", Suggest).matching(LaneMatch {
        environments: Some(vec!["production".to_owned()]),
        ..LaneMatch::default()
    })];
    let decision = case.release(&BASELINE);
    assert_eq!(bound_ids(&decision), [(AutoApply, "production-flags")]);
    assert_eq!(decision.bounds[0].kind, BoundKind::RolloutStage);
    assert_eq!(decision.level, Suggest);
    case.rollout.lanes[0].stage = Alert;
    assert_eq!(bound_ids(&case.release(&BASELINE)), [(Suggest, "production-flags")]);
    let staging = case.clone().set("service.environment", "staging");
    assert_eq!(staging.release(&BASELINE).level, AutoApply);
    let unknown = case.unknown("service.environment", "nobody said").release(&BASELINE);
    assert_eq!(unknown.level, Alert);
    assert_eq!(unknown.bounds[0].unknowns[0].id, "service.environment");
}

#[test]
fn a_lane_does_not_lower_to_a_level_that_no_policy_permits() {
    let merge_only =
        pack(r#"@id("merge") @reason("fine") permit (principal, action == Action::"autoApply", resource);"#);
    let mut case = flag();
    assert_eq!(case.release(&merge_only).level, AutoApply);
    case.rollout.default_stage = Suggest;
    let decision = case.release(&merge_only);
    assert_eq!(decision.level, Alert);
    let kinds: Vec<BoundKind> = decision.bounds.iter().map(|bound| bound.kind).collect();
    assert_eq!(kinds, [BoundKind::NoPermit, BoundKind::RolloutStage]);
}

#[test]
fn what_is_known_and_forbids_is_told_from_what_is_unknown() {
    let both = pack(
        r#"@id("all") @reason("fine") permit (principal, action, resource);
        @id("both") @reason("both must be safe") forbid (principal, action, resource)
        unless { context has service.tier && context.service.tier > 1 && context has change.freeze_active && !context.change.freeze_active };"#,
    );
    let case = flag().unknown("change.freeze_active", "the calendar can't be read");
    let kind = |case: &Case| case.release(&both).bounds[0].kind;
    assert_eq!(kind(&case), BoundKind::UnknownFact);
    let tier_forbids = case.clone().set("service.tier", 0);
    assert_eq!(kind(&tier_forbids), BoundKind::Policy);
    let bound = &tier_forbids.release(&both).bounds[0];
    assert_eq!(bound.reason, "both must be safe");
    assert_eq!(bound.unknowns[0].id, "change.freeze_active");
    assert_eq!(kind(&case.unknown("service.tier", "")), BoundKind::UnknownFact);
    // The cardholder rule: what is unknown could still show that no merge reaches production.
    let payments = flag().set("service.data_classes", words(&["cardholder"]));
    let decision = payments.unknown("service.production", "").release(&BASELINE);
    assert_eq!(decision.bounds[0].kind, BoundKind::UnknownFact);
}

#[test]
fn a_bound_holds_the_facts_it_read_and_what_would_lift_it() {
    let case = flag().noted(
        "change.freeze_active",
        true,
        "freeze `Quarter close` ends 2026-04-02T06:00:00Z",
    );
    let decision = case.release(&BASELINE);
    let bound = &decision.bounds[0];
    assert_eq!(
        bound.reason,
        "The service is under a code freeze: freeze `Quarter close` ends 2026-04-02T06:00:00Z"
    );
    assert_eq!(bound.facts[0].fact.as_ref().unwrap().source, "test");
    assert!(bound.unlock.is_some() && bound.unknowns.is_empty());
}

fn approved(case: Case) -> Case {
    case.set("approval.verified", true).set("approval.independent", true)
}

fn promotes(case: &Case) -> bool {
    let permission = may_promote(&BASELINE, &case.question()).unwrap();
    assert_eq!(permission.action, Action::Promote);
    assert_eq!(permission.permitted, permission.bounds.is_empty());
    permission.permitted
}

#[test]
fn an_independent_go_promotes_a_suggestion_and_nothing_less_does() {
    assert!(promotes(&approved(flag())));
    assert!(!promotes(&flag()));
    assert!(!promotes(&flag().set("approval.verified", true)));
    assert!(!promotes(&approved(flag()).set("approval.independent", false)));
    assert!(!promotes(&approved(flag()).set("approval.verified", false)));
    let mut no_fix = approved(flag());
    no_fix.fix = None;
    assert!(!promotes(&no_fix));
}

#[test]
fn a_missing_go_is_told_with_who_could_give_it() {
    let permission = may_promote(&BASELINE, &flag().question()).unwrap();
    let [bound] = permission.bounds.as_slice() else {
        panic!("{permission:#?}")
    };
    assert_eq!((bound.kind, bound.withholds), (BoundKind::NoPermit, AutoApply));
    let unknown: Vec<&str> = bound.unknowns.iter().map(|unknown| unknown.id.as_str()).collect();
    assert_eq!(unknown, ["approval.independent", "approval.verified"]);
    assert!(bound.unknowns[0].resolver.contains("holdpoint approve"));
    assert_eq!(
        bound.unlock.as_deref(),
        Some("it is permitted when this holds: An independent person approved exactly this change")
    );
}

#[test]
fn a_go_promotes_what_only_needed_one() {
    for case in [
        flag().set("change.freeze_active", true),
        flag()
            .set("service.tier", 0)
            .set("service.data_classes", words(&["cardholder"])),
        flag().set("fix.critical_resource", true),
        flag().unknown("change.drift_explained", ""),
        flag().checked(Check::Test, Verdict::Inconclusive, "red before"),
        Case::harmless(FixKind::Logic),
    ] {
        assert_eq!(case.release(&BASELINE).level, Suggest);
        assert!(promotes(&approved(case)));
    }
}

#[test]
fn no_go_promotes_a_failed_check_or_what_a_person_did_on_purpose() {
    for case in [
        flag().checked(Check::Contract, Verdict::Failed, "`bank-partner`"),
        flag().set("change.reverts_break_glass", true),
        flag().unknown("change.touches_compensating_control", "unreadable"),
        flag().set("change.touches_hands_off", true),
        flag().set("service.known", false),
    ] {
        assert!(!promotes(&approved(case)));
    }
    let mut alert_lane = approved(flag());
    alert_lane.rollout.default_stage = Alert;
    assert!(!promotes(&alert_lane));
}

#[test]
fn no_go_promotes_what_may_not_even_be_suggested() {
    let no_suggestion = pack(
        r#"@id("all") @reason("fine") permit (principal, action, resource);
        @id("quiet") @reason("hush") forbid (principal, action == Action::"suggest", resource) when { context has fix.files };"#,
    );
    let permission = may_promote(&no_suggestion, &approved(flag()).question()).unwrap();
    // Merging without asking is permitted, so it is more than a suggestion already.
    assert!(permission.permitted);
    let mut capped = approved(flag());
    capped.rollout.default_stage = Suggest;
    let permission = may_promote(&no_suggestion, &capped.question()).unwrap();
    assert_eq!(
        (permission.permitted, permission.bounds[0].id.as_str()),
        (false, "quiet")
    );
}

#[test]
fn an_approval_never_raises_a_level() {
    let case = flag().set("service.tier", 0);
    let (without, with) = (case.release(&BASELINE), approved(case).release(&BASELINE));
    assert_eq!((without.level, &without.bounds), (with.level, &with.bounds));
    assert_eq!(without.inputs, with.inputs);
}

#[test]
fn the_merge_gate_decides_again_on_the_facts_of_its_moment() {
    let case = flag();
    let before = case.release(&BASELINE);
    let frozen = case.set("change.freeze_active", true);
    let at_merge = merge_gate(&BASELINE, &frozen.question()).unwrap();
    assert_eq!(
        (before.level, at_merge.level, at_merge.phase),
        (AutoApply, Suggest, Phase::Merge)
    );
    assert_ne!(before.inputs.facts, at_merge.inputs.facts);
}

#[test]
fn an_approval_binds_the_values_that_promote_reads_and_nothing_else() {
    let digest = |case: &Case| binding_facts_digest(&BASELINE, &case.facts).unwrap();
    let case = flag();
    assert_eq!(digest(&case), digest(&approved(case.clone())));
    assert_eq!(digest(&case), digest(&case.clone().set("service.tier", 0)));
    assert_eq!(
        digest(&case),
        digest(&case.clone().set("evidence.test.verdict", "passed"))
    );
    assert_eq!(
        digest(&case),
        digest(&case.clone().noted("change.touches_hands_off", false, "checked"))
    );
    assert_ne!(
        digest(&case),
        digest(&case.clone().set("change.touches_hands_off", true))
    );
    assert_ne!(
        digest(&case),
        digest(&case.clone().unknown("change.touches_hands_off", ""))
    );
}

#[test]
fn the_same_inputs_give_the_same_bytes() {
    let case = flag()
        .set("service.tier", 0)
        .unknown("service.data_classes", "nobody said");
    let bytes = |decision: &Decision| serde_json::to_vec(decision).unwrap();
    let first = case.release(&BASELINE);
    for _ in 0..20 {
        assert_eq!(bytes(&case.release(&BASELINE)), bytes(&first));
    }
    assert_eq!(decision_id(&first).unwrap(), first.id);
    let mut forged = first.clone();
    forged.level = AutoApply;
    assert_ne!(decision_id(&forged).unwrap(), first.id);
    let read_back: Decision = serde_json::from_slice(&bytes(&first)).unwrap();
    assert_eq!(read_back, first);
}

#[test]
fn inputs_are_bound_by_their_digests() {
    let case = flag();
    let decision = case.release(&BASELINE);
    assert_eq!(&decision.inputs.policies, BASELINE.digest());
    assert_eq!(decision.inputs.evidence, Some(Digest::of_json(&case.evidence).unwrap()));
    assert_eq!(decision.inputs.diff, case.fix.as_ref().map(|fix| fix.diff.clone()));
    assert_eq!(decision.at, now());
    assert_ne!(
        case.clone()
            .set("finding.severity", "low")
            .release(&BASELINE)
            .inputs
            .facts,
        decision.inputs.facts
    );
}

#[test]
fn ids_of_entities_are_any_text() {
    let mut case = flag();
    case.service = "we\"ird \n::id".into();
    case.fix.as_mut().unwrap().remediator.0 = "\" || true".to_owned();
    assert_eq!(case.release(&BASELINE).level, AutoApply);
}
