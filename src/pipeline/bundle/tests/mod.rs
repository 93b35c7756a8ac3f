mod world;

use holdpoint_ledger::approval::Approvers;
use holdpoint_ledger::bundle::{Part, SummaryResult};
use holdpoint_schemas::approval::Verb;
use holdpoint_schemas::decision::{Bound, BoundKind, Phase};
use holdpoint_schemas::evidence::Verdict;
use holdpoint_schemas::{Digest, Level};
use serde_json::json;

use super::*;
use crate::output::bundle as output;
use crate::pipeline::choose::OTHER_FINDING;
use crate::pipeline::record::{
    APPROVAL, APPROVERS, CAPS, EVIDENCE, FIX, MERGE, MERGE_INTENT, PERMISSION, POLICIES, ROLLOUT, SCHEMA,
};
use world::{World, at, key};

/// What didn't hold, with the words that say so.
fn bad(verified: &Verified) -> Vec<(Part, Verdict, String)> {
    let bad = verified
        .checks
        .iter()
        .filter(|checked| checked.verdict != Verdict::Passed);
    bad.map(|checked| (checked.part, checked.verdict, checked.problems.join("\n")))
        .collect()
}

#[test]
fn a_fix_that_was_merged_without_asking_is_shown_whole() {
    let world = World::automatic();
    let verified = world.verified();
    assert_eq!(bad(&verified), []);
    assert_eq!(verified.verdict, Verdict::Passed);
    let statement = verified.statement.as_ref().unwrap();
    assert_eq!(statement.predicate.verification_result, SummaryResult::Passed);
    assert_eq!(statement.predicate.verified_levels, ["HOLDPOINT_AUTO_APPLY"]);
    assert_eq!(statement.subject[0].digest["gitCommit"], "4".repeat(40));
    assert_eq!(statement.subject[1].digest["gitTree"], world.fix.candidate_tree);
    let decisions = &verified
        .checks
        .iter()
        .find(|checked| checked.part == Part::Decisions)
        .unwrap()
        .says;
    assert!(
        decisions.contains("byte for byte: auto-apply (release), auto-apply (merge)"),
        "{decisions}"
    );
}

#[test]
fn a_fix_that_a_person_approved_is_shown_whole() {
    let verified = World::approved().verified();
    assert_eq!(bad(&verified), []);
    let statement = verified.statement.as_ref().unwrap();
    assert_eq!(statement.predicate.verified_levels, ["HOLDPOINT_APPROVED"]);
    assert_eq!(statement.predicate.decision.outcome, "merged");
    let text = output::text(&verified);
    for told in ["rosa", "read it", "promotion permitted", "The bundle is intact"] {
        assert!(text.contains(told), "`{told}` isn't in:\n{text}");
    }
}

#[test]
fn what_waits_for_a_person_has_not_passed() {
    let verified = World::waiting().verified();
    assert_eq!(bad(&verified), []);
    assert_eq!(bad(&World::capped().verified()), []);
    let summary = verified.statement.unwrap().predicate;
    assert_eq!(summary.verification_result, SummaryResult::Failed);
    assert_eq!(summary.verified_levels, ["FAILED"]);
}

#[test]
fn a_bundle_is_made_and_verified_the_same_every_time() {
    let world = World::approved();
    let (first, second) = (world.bundle(), world.bundle());
    assert_eq!(first.to_bytes().unwrap(), second.to_bytes().unwrap());
    let told = |bundle: &Bundle| {
        let verified = verify(bundle, Some(&key(1).verifier()), None);
        (
            output::text(&verified),
            serde_json::to_string(&output::document(&verified)).unwrap(),
        )
    };
    assert_eq!(told(&first), told(&second));
}

#[test]
fn without_the_logs_key_it_is_the_bundles_own_word() {
    let verified = verify(&World::automatic().bundle(), None, None);
    assert_eq!(verified.verdict, Verdict::Passed);
    let text = output::text(&verified);
    assert!(text.contains("only its own word") && text.contains("! key"), "{text}");
    let verified = verify(&World::automatic().bundle(), Some(&key(2).verifier()), None);
    assert_eq!(verified.verdict, Verdict::Failed);
    assert!(output::text(&verified).contains("DON'T TRUST THIS BUNDLE"));
}

/// Whoever holds the ledger's key can sign anything. What doesn't follow is found all the same.
#[test]
fn a_ledger_that_its_owner_doctored_is_found() {
    type Change = fn(&mut World);
    /// What is changed, in which story, how; and which part tells it, with which words.
    type Row = (&'static str, fn() -> World, Change, Part, Verdict, &'static str);
    let cases: &[Row] = &[
        (
            "a level that was raised",
            World::waiting,
            |world| world.doctor(|decision| decision.level = Level::AutoApply),
            Part::Decisions,
            Verdict::Failed,
            "made again it is suggest, and on record it is auto-apply",
        ),
        (
            "a fact",
            World::automatic,
            |world| {
                world.doctor(|decision| {
                    let mut fact = decision.facts.get("change.freeze_active").unwrap().clone();
                    fact.value = true.into();
                    decision.facts.insert("change.freeze_active", fact);
                });
            },
            Part::Decisions,
            Verdict::Failed,
            "what withholds it is `frozen`",
        ),
        (
            "a decision without a new id",
            World::automatic,
            |world| {
                world.change(crate::pipeline::record::DECISION, |body| {
                    body["service"] = json!("other")
                })
            },
            Part::Decisions,
            Verdict::Failed,
            "its id is not that of its content",
        ),
        (
            "a reason that was dropped",
            World::waiting,
            |world| world.doctor(|decision| decision.bounds.clear()),
            Part::Decisions,
            Verdict::Failed,
            "other reasons",
        ),
        (
            "a policy",
            World::automatic,
            |world| {
                world.change(POLICIES, |body| {
                    let text = body["policies"][1]["text"]
                        .as_str()
                        .unwrap()
                        .replace("!context", "context");
                    body["policies"][1]["text"] = json!(text);
                });
            },
            Part::Decisions,
            Verdict::Failed,
            "the recorded policies are not those of their digest",
        ),
        (
            "a policy that doesn't parse",
            World::automatic,
            |world| world.change(POLICIES, |body| body["policies"][0]["text"] = json!("permit (")),
            Part::Decisions,
            Verdict::Failed,
            "the recorded policies can't be used",
        ),
        (
            "a schema",
            World::automatic,
            |world| world.change(SCHEMA, |body| body["cedar"] = json!("")),
            Part::Decisions,
            Verdict::Failed,
            "the recorded schema is not the one of its digest",
        ),
        (
            "facts of another version",
            World::automatic,
            |world| {
                let digest = Digest::of_bytes(b"// another version");
                world.change(SCHEMA, |body| {
                    *body = json!({ "digest": digest, "cedar": "// another version", "org_facts": [] })
                });
                world.doctor(|decision| decision.inputs.schema = digest.clone());
                // The merge names the decision by its id.
                world.remove(MERGE);
                world.remove(MERGE_INTENT);
            },
            Part::Decisions,
            Verdict::Inconclusive,
            "other built-in facts",
        ),
        (
            "evidence",
            World::automatic,
            |world| {
                world.change(EVIDENCE, |body| {
                    body["record"]["evidence"]["checks"]["test"]["verdict"] = json!("failed")
                })
            },
            Part::Decisions,
            Verdict::Inconclusive,
            "the evidence that it rests on isn't in the bundle",
        ),
        (
            "lanes",
            World::automatic,
            |world| world.change(ROLLOUT, |body| body["rollout"]["default_stage"] = json!("suggest")),
            Part::Decisions,
            Verdict::Failed,
            "made again it is suggest",
        ),
        (
            "caps",
            World::capped,
            |world| world.change(CAPS, |body| body["caps"] = json!([])),
            Part::Decisions,
            Verdict::Failed,
            "made again it is auto-apply, and on record it is suggest",
        ),
        (
            "caps that are gone",
            World::capped,
            |world| world.remove(CAPS),
            Part::Decisions,
            Verdict::Inconclusive,
            "the list of caps that it rests on isn't in the bundle",
        ),
        (
            "a diff",
            World::automatic,
            |world| {
                world.change(FIX, |body| {
                    body["diff_text"] = json!("other");
                    body["diff"] = json!(Digest::of_bytes(b"other"));
                });
            },
            Part::Decisions,
            Verdict::Failed,
            "other digests of its inputs",
        ),
        (
            "the text of a diff",
            World::automatic,
            |world| world.change(FIX, |body| body["diff_text"] = json!("--- a/x\n+++ b/x\n")),
            Part::Decisions,
            Verdict::Failed,
            "the diff is not the one of its digest",
        ),
        (
            "an approval's words",
            World::approved,
            |world| world.change(APPROVAL, |body| body["statement"]["comment"] = json!("never read it")),
            Part::Approvals,
            Verdict::Failed,
            "does not fit",
        ),
        (
            "an approval by a stranger",
            World::approved,
            |world| {
                let approval = world.approval(&world.decide(Phase::Release), Verb::Approve, "mallory");
                world.change(APPROVAL, |body| {
                    *body = serde_json::to_value(approval).unwrap();
                    body["statement"]["by"] = json!("rosa");
                });
            },
            Part::Approvals,
            Verdict::Failed,
            "signed with a key of nobody we know",
        ),
        (
            "an approval that was declined again",
            World::approved,
            |world| {
                let no = world.approval(&world.decide(Phase::Release), Verb::Decline, "rosa");
                let place = world
                    .records
                    .iter()
                    .position(|(kind, _, _)| *kind == PERMISSION)
                    .unwrap();
                world
                    .records
                    .insert(place, (APPROVAL, at(), serde_json::to_value(no).unwrap()));
            },
            Part::Merge,
            Verdict::Failed,
            "whose approval doesn't count",
        ),
        (
            "a merge after the approval's end",
            World::approved,
            |world| {
                for (_, time, _) in world.records.iter_mut().filter(|(kind, _, _)| *kind == MERGE) {
                    *time = at() + jiff::SignedDuration::from_hours(2);
                }
            },
            Part::Merge,
            Verdict::Failed,
            "expired at",
        ),
        (
            "a merge that nobody approved",
            World::approved,
            |world| world.remove(APPROVAL),
            Part::Merge,
            Verdict::Failed,
            "said to be approved by rosa, whose approval doesn't count: there is none",
        ),
        (
            "a merge of another tree",
            World::approved,
            |world| {
                for kind in [MERGE, MERGE_INTENT] {
                    world.change(kind, |body| body["tree"] = json!("9".repeat(40)));
                }
            },
            Part::Merge,
            Verdict::Failed,
            "the tree that was merged is not the one that was decided on",
        ),
        (
            "a merge without an intent",
            World::approved,
            |world| world.remove(MERGE_INTENT),
            Part::Merge,
            Verdict::Failed,
            "no intent",
        ),
        (
            "a permission that was turned",
            World::approved,
            |world| {
                world.change(PERMISSION, |body| {
                    body["facts"]["known"]
                        .as_object_mut()
                        .unwrap()
                        .remove("approval.verified");
                });
            },
            Part::Decisions,
            Verdict::Failed,
            "made again it is withheld, and on record it is permitted",
        ),
        (
            "a permission that is gone",
            World::approved,
            |world| world.remove(PERMISSION),
            Part::Merge,
            Verdict::Inconclusive,
            "wasn't recorded",
        ),
        (
            "approvers that are gone",
            World::approved,
            |world| world.remove(APPROVERS),
            Part::Approvals,
            Verdict::Inconclusive,
            "give one with `--approvers`",
        ),
        (
            "a merge without asking of what had to be asked",
            World::waiting,
            |world| world.merge(&world.decide(Phase::Release), "auto-apply"),
            Part::Merge,
            Verdict::Failed,
            "merged without asking, and its level is suggest",
        ),
    ];
    for (what, make, change, part, verdict, words) in cases {
        let mut world = make();
        change(&mut world);
        let verified = world.verified();
        let found = bad(&verified);
        let is_it = |(found_part, found_verdict, problems): &(Part, Verdict, String)| {
            found_part == part && found_verdict == verdict && problems.contains(words)
        };
        assert!(found.iter().any(is_it), "{what}: {found:#?}");
        assert_eq!(
            verified.verdict,
            found.iter().map(|(_, verdict, _)| *verdict).min().unwrap(),
            "{what}"
        );
    }
}

#[test]
fn approvers_of_the_auditors_own_count_instead_of_the_recorded_ones() {
    let mut world = World::approved();
    let own = Approvers::parse("own", &world.approvers("rosa").text).unwrap();
    // The owner of the ledger lets somebody else sign as rosa, and records that key as hers.
    let approval = world.approval(&world.decide(Phase::Release), Verb::Approve, "mallory");
    let mut statement = approval.statement;
    statement.by = "rosa".to_owned();
    let signed = world.sign_as("mallory", statement);
    world.change(APPROVAL, |body| *body = serde_json::to_value(signed).unwrap());
    let forged = world.approvers("mallory");
    world.change(APPROVERS, |body| *body = serde_json::to_value(forged).unwrap());
    let bundle = world.bundle();
    let verifier = key(1).verifier();
    assert_eq!(bad(&verify(&bundle, Some(&verifier), None)), []);
    let found = bad(&verify(&bundle, Some(&verifier), Some(&own)));
    assert!(
        found
            .iter()
            .any(|(part, verdict, _)| (*part, *verdict) == (Part::Approvals, Verdict::Failed)),
        "{found:?}"
    );
}

#[test]
fn what_lowered_a_decision_besides_policies_is_taken_from_the_record() {
    let lower = |to: Level| {
        move |decision: &mut holdpoint_schemas::decision::Decision| {
            decision.bounds.push(Bound {
                withholds: decision.level,
                kind: BoundKind::Policy,
                id: OTHER_FINDING.to_owned(),
                reason: "The fix also resolves another".to_owned(),
                facts: Vec::new(),
                unknowns: Vec::new(),
                unlock: None,
            });
            decision.level = to;
        }
    };
    let mut world = World::automatic();
    world.remove(MERGE);
    world.remove(MERGE_INTENT);
    world.doctor(lower(Level::Suggest));
    assert_eq!(bad(&world.verified()), []);
    // What says that it lowers can't raise.
    let mut world = World::waiting();
    world.doctor(lower(Level::AutoApply));
    assert_eq!(world.verified().verdict, Verdict::Failed);
}

#[test]
fn nothing_is_exported_of_what_was_not_decided() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = Ledger::open(&folder.path().join("ledger.sqlite")).unwrap();
    let finding = World::waiting().finding;
    ledger.append(crate::pipeline::record::FINDING, at(), &finding).unwrap();
    let error = export(&ledger, &key(1), &[], &finding.id()).err().unwrap().to_string();
    assert!(error.contains("nothing was decided"), "{error}");
    assert!(export(&ledger, &key(1), &[], "nothing").is_err());
}
