//! The emergency override: where it helps, where it doesn't, and who has to look at it.

use holdpoint_ledger::approval::sign;
use holdpoint_schemas::approval::{ReviewStatement, SignedOverride};
use serde_json::Value;

use super::{BY, ITEM, TWO, approvals, enlist, entries, held, key_of, one, people, policies, said, says, smuggle};
use crate::support::{AT, Estate, refused, stderr, stdout};

const BO: &str = "bo@fintech.example";
const CY: &str = "cy@fintech.example";
const WHY: &str = "the bucket is being read from outside";

const PEOPLE: &str = "\
people:
- name: Rosa Diaz
  identities: [rosa@fintech.example]
  roles: [emergency]
- name: Bo
  identities: [bo@fintech.example]
- name: Cy
  identities: [cy@fintech.example]
";

/// Two people are asked for, and an emergency will do.
fn night() -> (Estate, String) {
    let (estate, id) = one(ITEM);
    policies(&estate, &[TWO]);
    people(&estate, PEOPLE);
    // The demo's own key is for approvals and orders alone.
    estate.edit("approvers", |text| {
        text.replace("\"holdpoint-approval,holdpoint-rollout\"", "\"holdpoint-*\"")
    });
    for who in [BO, CY] {
        enlist(&estate, who, "");
    }
    (estate, id)
}

/// Signs an override, which is taken, and says that a person has to look.
fn overrides(estate: &Estate, by: &str, id: &str) {
    let output = says(estate, AT, by, &["override", id, "--reason", WHY]);
    assert_eq!(output.status.code(), Some(10), "{}{}", stdout(&output), stderr(&output));
}

#[test]
fn one_with_the_role_merges_what_waits_for_two_and_another_has_to_look_at_it() {
    let (estate, id) = night();
    held(&estate, AT, &id, &["nobody has approved it"]);
    let output = says(&estate, AT, BY, &["override", &id, "--reason", WHY, "--expires", "1h"]);
    assert_eq!(output.status.code(), Some(10), "{}", stderr(&output));
    assert!(stdout(&output).contains("EMERGENCY OVERRIDE by rosa@fintech.example until 2026-03-17T03:30:00Z"));
    let promoted = estate.run(&["promote", &id]);
    assert_eq!(
        promoted.status.code(),
        Some(10),
        "{}{}",
        stdout(&promoted),
        stderr(&promoted)
    );
    assert!(
        stdout(&promoted).contains("(emergency override)"),
        "{}",
        stdout(&promoted)
    );
    assert!(stdout(&promoted).contains(&format!("acknowledge {id}")));
    let message = estate.remote_git("payments", &["log", "-1", "--format=%B", "main"]);
    assert!(
        message.contains("Holdpoint-Approved-By: rosa@fintech.example (emergency override)"),
        "{message}"
    );

    // Every report shows it, days later too, until somebody else has looked at it.
    let shown = |at: &str| -> (Option<i32>, usize) {
        let run = estate.run_at(at, &["run", "--finding", &id]);
        let report: Value =
            serde_json::from_str(&std::fs::read_to_string(estate.file("state/report.json")).unwrap()).unwrap();
        let open = report["queue"]["overrides"].as_array().map_or(0, Vec::len);
        let page = std::fs::read_to_string(estate.file("state/report.html")).unwrap();
        let markdown = std::fs::read_to_string(estate.file("state/report.md")).unwrap();
        for text in [stdout(&run).replace('\n', " "), page, markdown] {
            assert_eq!(
                text.contains("the bucket is being read from outside"),
                open > 0,
                "{text}"
            );
        }
        (run.status.code(), open)
    };
    assert_eq!(shown("2026-03-20T02:30:00Z"), (Some(10), 1));
    let found = "it was right: the bucket was public";
    refused(
        &says(&estate, "2026-03-20T03:00:00Z", BY, &["acknowledge", &id, "-m", found]),
        &["had a part in it"],
    );
    refused(
        &says(&estate, "2026-03-20T03:00:00Z", BO, &["acknowledge", &id, "-m", "ok"]),
        &["says too little"],
    );
    let looked = says(&estate, "2026-03-20T03:00:00Z", BO, &["acknowledge", &id, "-m", found]);
    assert!(looked.status.success(), "{}", stderr(&looked));
    assert_eq!(shown("2026-03-21T02:30:00Z"), (Some(0), 0));
    assert!(estate.run(&["ledger", "verify"]).status.success());
}

#[test]
fn without_the_role_it_takes_two_people_even_for_an_emergency() {
    let (estate, id) = night();
    overrides(&estate, BO, &id);
    held(&estate, AT, &id, &["takes the role `emergency`, or a second person"]);
    overrides(&estate, BO, &id);
    held(&estate, AT, &id, &["takes the role `emergency`, or a second person"]);
    overrides(&estate, CY, &id);
    assert_eq!(estate.run(&["promote", &id]).status.code(), Some(10));
    assert!(!entries(&estate, "merge").is_empty());
    let main = estate.remote_git("payments", &["log", "-1", "--format=%B", "main"]);
    assert!(
        main.contains("bo@fintech.example, cy@fintech.example (emergency override)"),
        "{main}"
    );
}

#[test]
fn where_the_policies_know_no_emergency_there_is_none() {
    let (estate, id) = one(ITEM);
    people(&estate, PEOPLE);
    let output = says(&estate, AT, BY, &["override", &id, "--reason", WHY]);
    refused(&output, &["knows no emergency", "approval.emergency"]);
    assert!(entries(&estate, "override").is_empty());
}

#[test]
fn an_override_that_is_smuggled_into_policies_without_emergencies_changes_nothing() {
    const PLAIN: (&str, &str) = (
        "two-people",
        "context has approval.independent_approvers && context.approval.independent_approvers >= 2",
    );
    let (estate, id) = night();
    overrides(&estate, BY, &id);
    policies(&estate, &[PLAIN]);
    held(&estate, AT, &id, &["is void", "policies was"]);
}

#[test]
fn it_is_short_and_needs_a_reason() {
    let (estate, id) = night();
    for (words, told) in [
        (vec!["override", &id, "--reason", "urgent"], "says too little"),
        (vec!["override", &id, "--reason", WHY, "--expires", "5h"], "at most 4h"),
    ] {
        refused(&says(&estate, AT, BY, &words), &[told]);
    }
    let usage = says(
        &estate,
        AT,
        BY,
        &["override", &id, "--reason", WHY, "--expires", "soon"],
    );
    assert_eq!(usage.status.code(), Some(2));
    assert_eq!(says(&estate, AT, BY, &["override", &id]).status.code(), Some(2));
    approvals(&estate, "  override_lifetime: 2d\n");
    refused(
        &says(&estate, AT, BY, &["override", &id, "--reason", WHY]),
        &["at most 1d"],
    );
}

#[test]
fn it_expires_and_then_still_wants_to_be_looked_at() {
    let (estate, id) = night();
    overrides(&estate, BY, &id);
    held(
        &estate,
        "2026-03-17T06:30:00Z",
        &id,
        &["the override by rosa@fintech.example doesn't count: it expired"],
    );
    let listed = estate.run_at("2026-03-18T02:30:00Z", &["waiting"]);
    assert!(stdout(&listed).contains("OVERRIDE"), "{}", stdout(&listed));
    assert!(stdout(&listed).contains("it was not used"), "{}", stdout(&listed));
}

#[test]
fn it_is_bound_like_an_approval() {
    let (estate, id) = night();
    overrides(&estate, BY, &id);
    estate.edit("controls.yaml", |text| text.replacen("controls:\n", "controls:\n  - { id: hands-off-requirements, kind: hands-off, repo: payments, path: requirements.txt, owner: Mara Lind, reason: audit, since: 2026-03-01T00:00:00Z, until: 2026-05-01T00:00:00Z }\n", 1));
    held(
        &estate,
        AT,
        &id,
        &["the override by rosa@fintech.example is void", "facts was"],
    );
    // Nor does one that is signed afterwards touch what a person asked automation to leave alone.
    overrides(&estate, BY, &id);
    let output = estate.run(&["promote", &id]);
    assert_eq!(output.status.code(), Some(10));
    assert!(stdout(&output).starts_with("Held:"), "{}", stdout(&output));
    assert!(
        entries(&estate, "merge")
            .iter()
            .all(|entry| entry.body["repo"] != "payments")
    );
}

#[test]
fn it_overrides_nobodys_no_and_no_time_out() {
    let (estate, id) = night();
    said(&estate, BO, &["decline", &id]);
    overrides(&estate, BY, &id);
    held(&estate, AT, &id, &["an emergency overrides nobody's no"]);
    let late = "2026-04-01T02:30:00Z";
    refused(
        &says(&estate, late, BY, &["override", &id, "--reason", WHY]),
        &["no longer waits"],
    );
}

#[test]
fn it_is_no_approval_and_an_approval_is_no_override() {
    let (estate, id) = night();
    said(&estate, BY, &["approve", &id]);
    held(&estate, AT, &id, &["two-people"]);
    let approval = entries(&estate, "approval")[0].body.clone();
    let mut forged = approval;
    forged["statement"]["reason"] = WHY.into();
    smuggle(&estate, "override", AT, &forged);
    held(&estate, AT, &id, &["the signature is for `holdpoint-approval`"]);
}

#[test]
fn a_key_that_is_for_approvals_alone_overrides_nothing() {
    let (estate, id) = night();
    estate.edit("approvers", |text| {
        text.replace("\"holdpoint-*\"", "\"holdpoint-approval\"")
    });
    let output = says(&estate, AT, BY, &["override", &id, "--reason", WHY]);
    refused(&output, &["it is for `holdpoint-approval` only"]);
}

/// The signer leaves, or a review is signed by whoever must not: it stays open.
#[test]
fn an_override_stays_open_whatever_its_signers_do() {
    let (estate, id) = night();
    overrides(&estate, BY, &id);
    let signed: SignedOverride = serde_json::from_value(entries(&estate, "override")[0].body.clone()).unwrap();
    let review = ReviewStatement {
        of: holdpoint_schemas::Digest::of_json(&signed.statement).unwrap(),
        estate: signed.statement.binding.estate.clone(),
        by: BY.to_owned(),
        at: AT.parse().unwrap(),
        comment: "looks fine to me, who did it".to_owned(),
    };
    let open = |estate: &Estate| stdout(&estate.run(&["waiting"])).contains("OVERRIDE");
    smuggle(
        &estate,
        "review",
        AT,
        &sign(review.clone(), &key_of(&estate, BY)).unwrap(),
    );
    assert!(open(&estate), "its own signer");
    let elsewhere = ReviewStatement {
        estate: "another".to_owned(),
        by: BO.to_owned(),
        ..review.clone()
    };
    smuggle(&estate, "review", AT, &sign(elsewhere, &key_of(&estate, BO)).unwrap());
    assert!(open(&estate), "of another estate");
    let anothers = ReviewStatement {
        by: BO.to_owned(),
        ..review
    };
    smuggle(&estate, "review", AT, &sign(anothers, &key_of(&estate, CY)).unwrap());
    assert!(open(&estate), "with another's key");
    estate.edit("approvers", |text| {
        text.lines()
            .filter(|line| !line.starts_with(BY))
            .map(|line| format!("{line}\n"))
            .collect()
    });
    assert!(open(&estate), "without its signer");
    let found = "it was right: the bucket was public";
    assert!(
        says(&estate, AT, BO, &["acknowledge", &id, "-m", found])
            .status
            .success()
    );
    assert!(!open(&estate));
}
