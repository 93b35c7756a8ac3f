//! The baseline pack as a folder of files.

use std::collections::BTreeSet;

use holdpoint_schemas::fact::Action;
use holdpoint_schemas::pack::PackManifest;

use super::fixtures::{BASELINE, read_pack_file};
use crate::policy::Effect;

#[test]
fn each_policy_has_a_file_of_its_own_that_is_named_after_it() {
    for policy in BASELINE.policies() {
        assert_eq!(policy.path, format!("baseline/{}.cedar", policy.id));
    }
    let paths: BTreeSet<&str> = BASELINE.policies().iter().map(|policy| policy.path.as_str()).collect();
    assert_eq!(paths.len(), BASELINE.policies().len());
}

#[test]
fn the_manifest_says_what_the_pack_is_for() {
    let manifest: PackManifest = serde_yaml::from_str(&read_pack_file("baseline/pack.yaml")).unwrap();
    assert_eq!(manifest.name, BASELINE.name());
    assert!(manifest.description.ends_with('.'));
}

#[test]
fn each_rule_says_what_would_lift_it_and_each_reason_can_be_continued() {
    for policy in BASELINE.policies() {
        assert_eq!(
            policy.unlock.is_some(),
            policy.effect == Effect::Forbid,
            "{}",
            policy.id
        );
        assert!(!policy.reason.ends_with(['.', ':']), "{}", policy.id);
    }
}

#[test]
fn what_forbids_a_suggestion_forbids_all_that_goes_further() {
    for policy in BASELINE.policies().iter().filter(|p| p.effect == Effect::Forbid) {
        if policy.actions.contains(&Action::Suggest) {
            assert_eq!(policy.actions.len(), Action::ALL.len(), "{}", policy.id);
        }
    }
}

#[test]
fn promote_rests_on_the_approval_the_controls_and_the_evidence() {
    let read: Vec<&str> = BASELINE.facts_read(Action::Promote).into_iter().collect();
    assert_eq!(
        read,
        [
            "approval.independent",
            "approval.verified",
            "change.reverts_break_glass",
            "change.touches_compensating_control",
            "change.touches_hands_off",
            "evidence.build.verdict",
            "evidence.contract.verdict",
            "evidence.rescan.verdict",
            "evidence.test.verdict",
            "service.known",
        ]
    );
}
