//! Approvals by those who don't follow the rules.

use holdpoint_ledger::approval::sign;
use holdpoint_schemas::approval::{ApprovalStatement, OverrideStatement, SignedApproval, SignedStatement, Verb};

use super::{BY, ITEM, TWO, approve, enlist, entries, held, key_of, make_key, one, policies, said, says, smuggle};
use crate::support::{AT, Estate, finding_id, stderr, stdout};

/// A good approval of the item, as it is on record, in an estate where it doesn't count any more.
fn good(estate: &Estate, id: &str) -> SignedApproval {
    assert!(approve(estate, "approve", id).status.success());
    let found = entries(estate, "approval");
    serde_json::from_value(found.last().unwrap().body.clone()).unwrap()
}

/// Smuggles in one statement only, in a fresh estate, and says why it doesn't count.
fn only(change: impl FnOnce(&mut ApprovalStatement), told: &[&str]) {
    let (estate, id) = one(ITEM);
    // Made in a copy, so that this ledger holds nothing of it but the estate's id.
    let (copy, _) = one(ITEM);
    let mut statement = good(&copy, &id).statement;
    let estate_id = entries(&copy, "estate")[0].body.clone();
    smuggle(&estate, "estate", AT, &estate_id);
    statement.fix = statement.fix.clone();
    change(&mut statement);
    let signed = sign(statement, &key_of(&copy, BY)).unwrap();
    // The copies were made from one demo, so its approver has the same key in both.
    smuggle(&estate, "approval", AT, &signed);
    held(&estate, AT, &id, told);
}

#[test]
fn a_statement_that_is_as_it_should_be_counts_however_it_came_there() {
    let (estate, id) = one(ITEM);
    let (copy, _) = one(ITEM);
    let signed = good(&copy, &id);
    smuggle(&estate, "estate", AT, &entries(&copy, "estate")[0].body);
    smuggle(&estate, "approval", AT, &signed);
    super::merged(&estate, &id);
}

#[test]
fn an_approval_from_another_estate_is_void() {
    let (estate, id) = one(ITEM);
    let (other, _) = one(ITEM);
    said(&estate, BY, &["decline", &id]);
    let signed = good(&other, &id);
    smuggle(&estate, "approval", AT, &signed);
    held(&estate, AT, &id, &["is void", "estate was"]);
}

#[test]
fn nobody_approves_for_longer_than_anyone_may_or_ahead_of_time() {
    let time = |text: &str| text.parse().unwrap();
    only(|s| s.expires = time("2030-01-01T00:00:00Z"), &["no longer than 7d"]);
    only(|s| s.at = time("2026-03-18T00:00:00Z"), &["it is dated 2026-03-18"]);
    only(|s| s.expires = time("2026-03-17T02:30:00Z"), &["it expired at"]);
    only(|s| s.expires = time("2026-03-01T00:00:00Z"), &["it expired at"]);
}

/// It lies in the ledger until its date has come.
#[test]
fn an_approval_dated_ahead_does_not_begin_to_count_later() {
    let (estate, id) = one(ITEM);
    let (copy, _) = one(ITEM);
    let mut statement = good(&copy, &id).statement;
    smuggle(&estate, "estate", AT, &entries(&copy, "estate")[0].body);
    statement.at = "2026-03-20T00:00:00Z".parse().unwrap();
    statement.expires = "2026-03-24T00:00:00Z".parse().unwrap();
    smuggle(&estate, "approval", AT, &sign(statement, &key_of(&copy, BY)).unwrap());
    held(
        &estate,
        "2026-03-21T00:00:00Z",
        &id,
        &["was on record at 2026-03-17T02:30:00Z"],
    );
}

#[test]
fn a_clock_that_is_turned_back_revives_nothing() {
    let (estate, id) = one(ITEM);
    assert!(approve(&estate, "approve", &id).status.success());
    // Something was recorded after it expired: whatever the caller's clock says, that time has come.
    smuggle(&estate, "run", "2026-03-25T00:00:00Z", &entries(&estate, "run")[0].body);
    held(&estate, AT, &id, &["it expired at"]);
}

#[test]
fn names_that_look_alike_are_others_or_are_refused() {
    only(
        |s| s.by = "Rosa@fintech.example".to_owned(),
        &["is not in the approvers file"],
    );
    only(
        |s| s.by = " rosa@fintech.example".to_owned(),
        &["is not in the approvers file"],
    );
    only(
        |s| s.by = "r\u{43e}sa@fintech.example".to_owned(),
        &["is not in the approvers file"],
    );
    let (estate, id) = one(ITEM);
    let key = make_key(&estate, "cyrillic");
    let public = std::fs::read_to_string(key.with_extension("pub")).unwrap();
    estate.edit("approvers", |text| format!("{text}r\u{43e}sa@fintech.example {public}"));
    let refused = estate.run(&["promote", &id]);
    assert_eq!(refused.status.code(), Some(3), "{}", stdout(&refused));
    assert!(stderr(&refused).contains("plain ASCII"), "{}", stderr(&refused));
}

#[test]
fn an_approver_who_was_taken_out_of_the_file_has_not_approved() {
    let (estate, id) = one(ITEM);
    assert!(approve(&estate, "approve", &id).status.success());
    estate.edit("approvers", |text| text.replace(BY, "someone-else@fintech.example"));
    held(&estate, AT, &id, &["is not in the approvers file"]);
}

#[test]
fn a_key_that_has_ended_since_has_not_approved() {
    let (estate, id) = one(ITEM);
    assert!(approve(&estate, "approve", &id).status.success());
    estate.edit("approvers", |text| {
        text.replace("namespaces=", "valid-before=\"20260317024500Z\",namespaces=")
    });
    let later = "2026-03-17T03:00:00Z";
    held(&estate, later, &id, &["it was valid until 2026-03-17T02:45:00Z"]);
    super::merged(&estate, &id);
}

#[test]
fn a_refusal_stays_when_whoever_refused_is_taken_out() {
    let (estate, id) = one(ITEM);
    enlist(&estate, "bo@fintech.example", "");
    said(&estate, "bo@fintech.example", &["decline", &id]);
    estate.edit("approvers", |text| {
        text.lines().take(1).map(|line| format!("{line}\n")).collect()
    });
    assert!(approve(&estate, "approve", &id).status.success());
    held(&estate, AT, &id, &["bo@fintech.example declined it"]);
}

#[test]
fn an_unsigned_or_forged_entry_is_no_word_of_anybody() {
    let (estate, id) = one(ITEM);
    let signed = good(&estate, &id);
    said(&estate, BY, &["decline", &id]);
    // Without a signature, with another's, with that of another statement.
    let stranger = make_key(&estate, "stranger");
    let mut again = signed.statement.clone();
    again.at = "2026-03-17T02:29:00Z".parse().unwrap();
    let unsigned = SignedStatement {
        statement: again.clone(),
        signature: String::new(),
    };
    let moved = SignedStatement {
        statement: ApprovalStatement {
            comment: Some("moved".to_owned()),
            ..again.clone()
        },
        signature: signed.signature.clone(),
    };
    again.comment = Some("a stranger's".to_owned());
    smuggle(&estate, "approval", AT, &unsigned);
    smuggle(&estate, "approval", AT, &moved);
    smuggle(&estate, "approval", AT, &sign(again, &stranger).unwrap());
    held(
        &estate,
        AT,
        &id,
        &[
            "can't be read",
            "does not fit",
            "a key of nobody we know",
            "declined it",
        ],
    );
    // Nor does one lift or spoil anything as a refusal.
    let (estate, id) = one(ITEM);
    let mut forged = good(&estate, &id);
    forged.statement.verb = Verb::Decline;
    smuggle(&estate, "approval", AT, &forged);
    super::merged(&estate, &id);
}

#[test]
fn a_signature_of_another_kind_or_of_another_fix_approves_nothing() {
    let (estate, id) = one(ITEM);
    let signed = good(&estate, &id);
    said(&estate, BY, &["decline", &id]);
    let ApprovalStatement {
        fix,
        decision,
        binding,
        by,
        at,
        expires,
        ..
    } = signed.statement.clone();
    let as_override = sign(
        OverrideStatement {
            fix,
            decision,
            binding,
            by,
            at,
            expires,
            reason: "it is urgent".to_owned(),
        },
        &key_of(&estate, BY),
    );
    // The statement of an approval with the signature of an override, and the other way round.
    let mut statement = signed.statement.clone();
    statement.comment = Some("of another kind".to_owned());
    let crossed = SignedStatement {
        statement,
        signature: as_override.unwrap().signature,
    };
    smuggle(&estate, "approval", AT, &crossed);
    held(&estate, AT, &id, &["the signature is for `holdpoint-override`"]);

    let other = finding_id(estate.report().scenario("sql-injection"));
    let words = ["promote", other.as_str()];
    assert!(
        !estate.run(&words).status.success(),
        "a go for one fix is none for another"
    );
}

#[test]
fn a_bot_with_the_remediators_name_is_not_independent() {
    let (estate, id) = one(ITEM);
    let remediator = estate.report().finding(&id)["fix"]["remediator"]
        .as_str()
        .unwrap()
        .to_owned();
    enlist(&estate, &remediator, "");
    said(&estate, &remediator, &["approve", &id]);
    held(&estate, AT, &id, &["no policy permits `promote`"]);
}

#[test]
fn two_approvals_by_one_key_under_two_listed_names_count_once() {
    let (estate, id) = one(ITEM);
    policies(&estate, &[TWO]);
    estate.edit("approvers", |text| {
        text.replace(BY, &format!("{BY},root@fintech.example"))
    });
    said(&estate, BY, &["approve", &id]);
    let key = key_of(&estate, BY);
    let second = estate.run(&[
        "approve",
        &id,
        "--by",
        "root@fintech.example",
        "--key",
        key.to_str().unwrap(),
    ]);
    assert!(second.status.success(), "{}", stderr(&second));
    held(&estate, AT, &id, &["two-people"]);
    let third = says(&estate, AT, BY, &["approve", &id, "-m", "and again"]);
    assert!(third.status.success());
    held(&estate, AT, &id, &["two-people"]);
}
