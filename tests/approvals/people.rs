//! Who counts as whom: two names of one person, the author, roles, owners.

use super::{AT, BY, ITEM, TWO, approve, enlist, held, merged, one, people, policies, said, says};
use crate::support::Estate;
use crate::support::{finding_id, stderr, stdout};

const BO: &str = "bo@fintech.example";
const ROSA_AND_BO: &str = "\
people:
- name: Rosa Diaz
  identities: [rosa@fintech.example, rdiaz@fintech.example]
  teams: [payments]
- name: Bo Lindqvist
  identities: [bo@fintech.example]
  roles: [security]
";

/// An estate whose policies ask for two people.
fn two() -> (Estate, String) {
    let (estate, id) = one(ITEM);
    policies(&estate, &[TWO]);
    (estate, id)
}

#[test]
fn two_people_are_two_people() {
    let (estate, id) = two();
    enlist(&estate, BO, "");
    said(&estate, BY, &["approve", &id]);
    held(&estate, AT, &id, &["two-people"]);
    said(&estate, BO, &["approve", &id]);
    merged(&estate, &id);
}

/// The second name, and what makes it the first one's.
#[test]
fn a_go_says_at_once_what_it_comes_to() {
    let (estate, id) = two();
    enlist(&estate, BO, "");
    let first = says(&estate, AT, BY, &["approve", &id]);
    let text = stdout(&first);
    assert_eq!(first.status.code(), Some(0), "{text}{}", stderr(&first));
    assert!(text.starts_with(&format!("Approved by {BY} until ")), "{text}");
    assert!(
        text.contains("It can't be merged yet:\n\n  - the rule two-people"),
        "{text}"
    );
    let second = says(&estate, AT, BO, &["--format", "json", "approve", &id]);
    let said: serde_json::Value = serde_json::from_str(&stdout(&second)).unwrap();
    assert_eq!(
        (&said["counts"], &said["missing"]),
        (&true.into(), &serde_json::json!([])),
        "{said:#}"
    );
    assert_eq!(said["statement"]["by"], BO);
}

#[test]
fn one_person_is_one_person_whatever_they_call_themselves() {
    for (name, known_by_file) in [
        ("Rosa@FinTech.example", false),
        ("rosa+holdpoint@fintech.example", false),
        ("r.osa@fintech.example", false),
        ("rdiaz@fintech.example", true),
        ("RDIAZ+x@fintech.example", true),
    ] {
        let (estate, id) = two();
        enlist(&estate, name, "");
        if known_by_file {
            people(&estate, ROSA_AND_BO);
        }
        said(&estate, BY, &["approve", &id]);
        said(&estate, name, &["approve", &id]);
        held(&estate, AT, &id, &["two-people"]);
    }
}

#[test]
fn two_keys_of_one_name_and_two_names_of_one_key_are_one_person() {
    let (estate, id) = two();
    // A second key under the first name, and another name on that key.
    enlist(&estate, "rosa.phone@fintech.example", "");
    estate.edit("approvers", |text| {
        let more = text.lines().last().unwrap().replace("rosa.phone@fintech.example", BY);
        format!("{text}{more}\n")
    });
    said(&estate, BY, &["approve", &id]);
    let second = super::key_of(&estate, "rosa.phone@fintech.example");
    let again = estate.run(&["approve", &id, "--by", BY, "--key", second.to_str().unwrap()]);
    assert!(again.status.success(), "{}", stderr(&again));
    said(&estate, "rosa.phone@fintech.example", &["approve", &id]);
    held(&estate, AT, &id, &["two-people"]);
}

#[test]
fn whoever_runs_the_remediator_does_not_approve_its_fixes() {
    let (estate, id) = one(ITEM);
    let remediator = estate.report().finding(&id)["fix"]["remediator"]
        .as_str()
        .unwrap()
        .to_owned();
    people(
        &estate,
        &format!(
            "people:\n- name: Rosa Diaz\n  identities: [{BY}]\n  remediators: [{remediator}]\n\
             - name: Bo\n  identities: [{BO}]\n"
        ),
    );
    enlist(&estate, BO, "");
    said(&estate, BY, &["approve", &id]);
    held(&estate, AT, &id, &["no policy permits `promote`"]);
    said(&estate, BO, &["approve", &id]);
    merged(&estate, &id);
}

#[test]
fn the_author_of_a_patch_does_not_approve_it() {
    let estate = Estate::prepared();
    estate.edit("fixes/upgrade-bot/payments-upgrade/change.patch", |text| {
        format!("From: Rosa <Rosa+work@fintech.example>\nSubject: upgrade\n\n---\n{text}")
    });
    enlist(&estate, BO, "");
    let id = finding_id(Estate::after_demo().report().scenario(ITEM));
    let run = estate.run(&["run", "--finding", &id]);
    assert_eq!(run.status.code(), Some(10), "{}{}", stdout(&run), stderr(&run));
    said(&estate, BY, &["approve", &id]);
    held(&estate, AT, &id, &["no policy permits `promote`"]);
    said(&estate, BO, &["approve", &id]);
    merged(&estate, &id);
}

#[test]
fn a_role_is_who_has_it_and_an_owner_is_whose_team_owns_all_of_it() {
    const SECURITY: (&str, &str) = (
        "of-security",
        "context has approval.roles && context.approval.roles.contains(\"security\")",
    );
    const OWNER: (&str, &str) = (
        "of-the-owner",
        "context has approval.roles && context.approval.roles.contains(\"service-owner\")",
    );
    const TEAM: (&str, &str) = (
        "of-a-team",
        "context has approval.teams && context.approval.teams.contains(\"payments\")",
    );
    let owner = {
        let text = std::fs::read_to_string(Estate::after_demo().file("catalogue/payments.yaml")).unwrap();
        let line = text.lines().find(|line| line.trim().starts_with("owner:")).unwrap();
        line.trim().trim_start_matches("owner: group:").to_owned()
    };
    let file = ROSA_AND_BO.replace("teams: [payments]", &format!("teams: [{owner}, payments]"));
    for (policy, enough) in [(SECURITY, BO), (OWNER, BY), (TEAM, BY)] {
        let (estate, id) = one(ITEM);
        policies(&estate, &[policy]);
        enlist(&estate, BO, "");
        people(&estate, &file);
        let other = if enough == BO { BY } else { BO };
        said(&estate, other, &["approve", &id]);
        held(&estate, AT, &id, &[policy.0]);
        said(&estate, enough, &["approve", &id]);
        merged(&estate, &id);
    }
}

#[test]
fn people_that_cannot_be_read_stop_every_count() {
    let (estate, id) = two();
    people(&estate, ROSA_AND_BO);
    assert!(approve(&estate, "approve", &id).status.success());
    let misspelt = ROSA_AND_BO.replace("[security]", "[secutiry]");
    std::fs::write(estate.file("people.yaml"), misspelt).unwrap();
    for words in [["promote", &id], ["approve", &id]] {
        let refused = says(&estate, AT, BY, &words[..]);
        let refused = if words[0] == "promote" {
            estate.run(&words)
        } else {
            refused
        };
        assert_eq!(refused.status.code(), Some(3), "{}", stdout(&refused));
        assert!(stderr(&refused).contains("people.yaml:7:11"), "{}", stderr(&refused));
    }
}

#[test]
fn a_no_outweighs_one_other_yes_but_not_two() {
    let (estate, id) = one(ITEM);
    for who in [BO, "cy@fintech.example"] {
        enlist(&estate, who, "");
    }
    said(&estate, BO, &["approve", &id]);
    said(&estate, BY, &["decline", &id]);
    held(&estate, AT, &id, &["rosa@fintech.example declined it"]);
    let later = "2026-03-17T03:00:00Z";
    assert!(says(&estate, later, BO, &["approve", &id]).status.success());
    held(&estate, later, &id, &["rosa@fintech.example declined it"]);
    let copy = says(&estate, later, BO, &["approve", &id, "-m", "again"]);
    assert!(copy.status.success(), "saying it twice is no error, and counts once");
    held(&estate, later, &id, &["rosa@fintech.example declined it"]);
    assert!(
        says(&estate, later, "cy@fintech.example", &["approve", &id])
            .status
            .success()
    );
    let promoted = estate.run_at(later, &["promote", &id]);
    assert!(promoted.status.success(), "{}", stdout(&promoted));
}

#[test]
fn whoever_said_no_may_change_their_mind() {
    let (estate, id) = one(ITEM);
    said(&estate, BY, &["decline", &id]);
    held(&estate, AT, &id, &["declined it"]);
    let later = "2026-03-17T03:00:00Z";
    assert!(says(&estate, later, BY, &["approve", &id]).status.success());
    let promoted = estate.run_at(later, &["promote", &id]);
    assert!(promoted.status.success(), "{}", stdout(&promoted));
}
