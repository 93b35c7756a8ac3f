//! Every kind of single change is found, in both stores.

use holdpoint_ledger::{Entry, Hash, Head, Verification};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::place::{Place, at, on_both_stores};

on_both_stores! {
    each_kind_of_single_change_is_found
    what_no_store_can_prove_by_itself_is_found_by_an_older_head
    an_entry_forged_together_with_its_leaf_is_found_by_the_checkpoints
    any_edit_of_any_field_is_found
    fences_refuse_change_removal_and_insertion_out_of_turn
    a_fence_that_is_gone_or_changed_or_added_is_found
    putting_the_fences_down_and_up_again_alone_is_not_a_problem
    problems_are_bounded
    a_long_log_is_judged_as_a_short_one
}

/// A ledger of `size` entries that were appended one by one, and its head.
fn filled(place: &Place, size: i64) -> Head {
    let mut ledger = place.open();
    for n in 1..=size {
        ledger.append("decision", at(n), &json!({ "n": n })).unwrap();
    }
    ledger.head().unwrap()
}

/// One change by who can write the store, and what is said of it.
struct Change {
    sql: &'static str,
    found: &'static str,
}

const fn change(sql: &'static str, found: &'static str) -> Change {
    Change { sql, found }
}

/// `{0}`: 32 bytes of zeros, as the store writes them.
const CHANGES: &[Change] = &[
    // Edit.
    change(
        "UPDATE entry SET body = '{\"n\":9}' WHERE seq = 3",
        "entry 3 does not match its leaf hash",
    ),
    change(
        "UPDATE entry SET body = '{\"n\":9}' WHERE seq = 3",
        "the root of checkpoint 3 (3 checkpoints do not match)",
    ),
    change(
        "UPDATE entry SET body = '{\"n\":3,\"n\":3}' WHERE seq = 3",
        "entry 3 does not match its leaf hash",
    ),
    change(
        "UPDATE entry SET body = '{\"n\": 3}' WHERE seq = 3",
        "entry 3 does not match its leaf hash",
    ),
    change(
        "UPDATE entry SET at = '2030-01-01T00:00:00Z' WHERE seq = 2",
        "entry 2 does not match its leaf hash",
    ),
    change(
        "UPDATE entry SET kind = 'outcome' WHERE seq = 2",
        "entry 2 does not match its leaf hash",
    ),
    change(
        "UPDATE entry SET form = 1 WHERE seq = 2",
        "entry 2 does not match its leaf hash",
    ),
    change(
        "UPDATE entry SET form = 3 WHERE seq = 2",
        "the form of entry 2 can't be read",
    ),
    change(
        "UPDATE entry SET leaf = {0} WHERE seq = 2",
        "entry 2 does not match its leaf hash",
    ),
    change(
        "UPDATE entry SET body = NULL, digest = {0} WHERE seq = 2",
        "entry 2 does not match its leaf hash",
    ),
    // Drop.
    change("DELETE FROM entry WHERE seq = 3", "entry 3 is missing"),
    change("DELETE FROM entry WHERE seq IN (2, 3)", "entries 2 to 3 are missing"),
    change("DELETE FROM entry", "there are 0 entries, but checkpoints 1 to 5"),
    // Truncate.
    change(
        "DELETE FROM entry WHERE seq > 3",
        "there are 3 entries, but checkpoints 4 to 5 show that there were more",
    ),
    // Reorder.
    change(
        "UPDATE entry SET seq = 99 WHERE seq = 2; UPDATE entry SET seq = 2 WHERE seq = 4;
         UPDATE entry SET seq = 4 WHERE seq = 99",
        "entry 4 does not match its leaf hash",
    ),
    change(
        "UPDATE entry SET seq = -7 WHERE seq = 5",
        "there is an entry at place -7",
    ),
    change("UPDATE entry SET seq = 7 WHERE seq = 5", "entries 5 to 6 are missing"),
    // Insert.
    change(
        "INSERT INTO entry SELECT 6, form, kind, at, body, digest, leaf FROM entry WHERE seq = 5",
        "entry 6 does not match its leaf hash",
    ),
    // Forge, drop or truncate checkpoints.
    change(
        "UPDATE checkpoint SET root = {0} WHERE size = 4",
        "the root of checkpoint 4 (1 checkpoints do not match)",
    ),
    change("DELETE FROM checkpoint WHERE size = 2", "checkpoint 2 is missing"),
    change("DELETE FROM checkpoint WHERE size = 1", "checkpoint 1 is missing"),
    change("DELETE FROM checkpoint WHERE size = 5", "checkpoint 5 is missing"),
    change("DELETE FROM checkpoint", "checkpoint 5 is missing"),
    change(
        "UPDATE checkpoint SET size = 6 WHERE size = 5",
        "checkpoints 6 to 6 show that there were more",
    ),
    change(
        "UPDATE checkpoint SET previous = 2 WHERE size = 4",
        "checkpoint 4 does not follow the one before it",
    ),
    change(
        "UPDATE checkpoint SET size = 0 WHERE size = 1",
        "there is a checkpoint at place 0",
    ),
];

fn each_kind_of_single_change_is_found(place: &Place) {
    for change in CHANGES {
        let place = place.another();
        filled(&place, 5);
        place.tamper(&change.sql.replace("{0}", &place.bytes(&"0".repeat(64))));
        let problems = place.problems();
        let found = problems.iter().any(|problem| problem.contains(change.found));
        assert!(found, "{}: {problems:#?}", change.sql);
    }
}

fn what_no_store_can_prove_by_itself_is_found_by_an_older_head(place: &Place) {
    let head = filled(place, 5);
    place.tamper("DELETE FROM entry WHERE seq > 3; DELETE FROM checkpoint WHERE size > 3");
    assert_eq!(place.problems(), Vec::<String>::new());
    assert_eq!(
        place.problems_against(Some(&head)),
        ["the log is cut off: it has 3 entries, and the expected head stands for 5"]
    );
    // A log that somebody wrote anew, with one entry changed.
    let rewritten = place.another();
    let mut ledger = rewritten.open();
    for n in 1..=6 {
        let told = if n == 2 { 9 } else { n };
        ledger.append("decision", at(n), &json!({ "n": told })).unwrap();
    }
    assert_eq!(rewritten.problems(), Vec::<String>::new());
    let problems = rewritten.problems_against(Some(&head));
    assert!(
        problems[0].contains("not consistent with the expected head: its first 5 entries"),
        "{problems:?}"
    );
}

fn an_entry_forged_together_with_its_leaf_is_found_by_the_checkpoints(place: &Place) {
    filled(place, 5);
    let mut entry: Entry = place.existing().unwrap().entries(None).unwrap().swap_remove(2);
    entry.body = json!({"n": 9});
    let leaf = Sha256::new()
        .chain_update([0])
        .chain_update(entry.preimage().unwrap())
        .finalize();
    let leaf: String = leaf.iter().map(|byte| format!("{byte:02x}")).collect();
    let leaf = place.bytes(&leaf);
    place.tamper(&format!(
        "UPDATE entry SET body = '{{\"n\":9}}', leaf = {leaf} WHERE seq = 3"
    ));
    assert_eq!(
        place.problems(),
        ["the entries do not have the root of checkpoint 3 (3 checkpoints do not match)"]
    );
}

/// Whatever field of whatever entry is set to whatever else, the store alone shows it.
fn any_edit_of_any_field_is_found(place: &Place) {
    filled(place, 6);
    let fields = prop::sample::select(vec!["kind", "at", "body"]);
    let mut runner = TestRunner::new(Config::with_cases(40));
    runner
        .run(&(1..7_u64, fields, "[ -&(-~]{0,20}"), |(seq, field, value)| {
            let was = match field {
                "kind" => "decision".to_owned(),
                "at" => at(seq as i64).to_string(),
                _ => json!({ "n": seq }).to_string(),
            };
            prop_assume!(value != was);
            place.tamper(&format!("UPDATE entry SET {field} = '{value}' WHERE seq = {seq}"));
            let found = !place.problems().is_empty();
            place.tamper(&format!("UPDATE entry SET {field} = '{was}' WHERE seq = {seq}"));
            prop_assert!(found);
            prop_assert_eq!(place.problems(), Vec::<String>::new());
            Ok(())
        })
        .unwrap();
}

fn fences_refuse_change_removal_and_insertion_out_of_turn(place: &Place) {
    filled(place, 2);
    let zeros = place.bytes(&"0".repeat(64));
    for (sql, fence) in [
        ("UPDATE entry SET body = 'x'", "never changed"),
        (
            "UPDATE entry SET kind = 'x', body = NULL, digest = {0}",
            "never changed",
        ),
        ("DELETE FROM entry", "never dropped"),
        (
            "INSERT INTO entry VALUES (4, 2, 'k', 't', 'b', NULL, {0})",
            "only appended",
        ),
        (
            "INSERT INTO entry VALUES (2, 2, 'k', 't', 'b', NULL, {0})",
            "only appended",
        ),
        ("UPDATE checkpoint SET root = {0}", "never changed"),
        ("DELETE FROM checkpoint", "never dropped"),
        ("INSERT INTO checkpoint VALUES (5, 3, {0})", "only appended"),
        ("INSERT INTO checkpoint VALUES (2, 2, {0})", "only appended"),
    ] {
        let error = place.try_sql(&sql.replace("{0}", &zeros)).unwrap_err();
        assert!(error.contains(fence), "{sql}: {error}");
    }
    if let Place::Postgres(..) = place {
        assert!(place.try_sql("TRUNCATE entry").unwrap_err().contains("never dropped"));
    }
    assert_eq!(place.problems(), Vec::<String>::new());
}

fn a_fence_that_is_gone_or_changed_or_added_is_found(place: &Place) {
    let changes: &[(&str, &str)] = match place {
        Place::Sqlite(_) => &[
            ("DROP TRIGGER entry_no_delete", "`entry_no_delete` is gone"),
            (
                "DROP TRIGGER entry_only_pruned;
                 CREATE TRIGGER entry_only_pruned BEFORE UPDATE ON entry BEGIN SELECT 1; END",
                "`entry_only_pruned` was changed",
            ),
            ("DROP TABLE entry", "`entry` is gone"),
            (
                "ALTER TABLE checkpoint RENAME COLUMN root TO head",
                "`checkpoint` was changed",
            ),
            ("CREATE TABLE extra (x)", "`extra` was added"),
        ],
        Place::Postgres(..) => &[
            ("DROP TRIGGER entry_no_delete ON entry", "`entry_no_delete` is gone"),
            (
                "ALTER TABLE entry DISABLE TRIGGER entry_only_pruned",
                "`entry_only_pruned` was changed",
            ),
            (
                "CREATE OR REPLACE FUNCTION entry_only_pruned() RETURNS trigger LANGUAGE plpgsql AS
                 'BEGIN RETURN NEW; END'",
                "`entry_only_pruned` was changed",
            ),
            ("DROP TABLE checkpoint", "`checkpoint` is gone"),
            (
                "ALTER TABLE checkpoint RENAME COLUMN root TO head",
                "`checkpoint` was changed",
            ),
            ("CREATE VIEW extra AS SELECT 1", "`extra` was added"),
            (
                "CREATE RULE quiet AS ON DELETE TO entry DO INSTEAD NOTHING",
                "the rule `quiet` was added",
            ),
        ],
    };
    for (sql, found) in changes {
        let place = place.another();
        filled(&place, 2);
        place.sql(sql);
        let problems = place.problems();
        assert!(
            problems.iter().any(|problem| problem.contains(found)),
            "{sql}: {problems:#?}"
        );
    }
}

fn putting_the_fences_down_and_up_again_alone_is_not_a_problem(place: &Place) {
    filled(place, 3);
    place.tamper("");
    assert_eq!(place.problems(), Vec::<String>::new());
}

fn problems_are_bounded(place: &Place) {
    let mut ledger = place.open();
    let body = Value::Null;
    ledger.append_all((0..150).map(|n| ("decision", at(n), &body))).unwrap();
    place.tamper("UPDATE entry SET kind = 'x'");
    let problems = place.problems();
    assert_eq!(problems.len(), 101);
    assert_eq!(problems.last().unwrap(), "and 51 more");
}

/// Long enough to be read on several connections at once.
fn a_long_log_is_judged_as_a_short_one(place: &Place) {
    let mut ledger = place.open();
    let bodies: Vec<Value> = (1..=5_000).map(|n| json!({ "n": n })).collect();
    for bodies in bodies.chunks(500) {
        ledger
            .append_all(bodies.iter().map(|body| ("decision", at(1), body)))
            .unwrap();
    }
    let head = ledger.head().unwrap();
    drop(ledger);
    assert_eq!(place.intact(), head);
    let leaves = place.existing().unwrap().leaves().unwrap();
    assert_eq!(leaves.len(), 5_000);
    place.tamper("UPDATE entry SET seq = 900000 WHERE seq = 5000");
    assert_eq!(
        place.problems(),
        [
            "entries 5000 to 899999 are missing",
            "entry 900000 does not match its leaf hash",
            "the entries do not have the root of checkpoint 5000 (1 checkpoints do not match)",
        ]
    );
    place.tamper(
        "UPDATE entry SET seq = 5000 WHERE seq = 900000; DELETE FROM entry WHERE seq IN (2048, 2049);
         UPDATE entry SET body = '{}' WHERE seq IN (1024, 1025, 4999)",
    );
    assert_eq!(
        place.problems(),
        [
            "entry 1024 does not match its leaf hash",
            "entry 1025 does not match its leaf hash",
            "entries 2048 to 2049 are missing",
            "entry 4999 does not match its leaf hash",
            "the entries do not have the root of checkpoint 1500 (7 checkpoints do not match)",
            "there are 4998 entries, but checkpoints 5000 to 5000 show that there were more",
        ]
    );
    let error = place.existing().unwrap().leaves().unwrap_err().to_string();
    assert!(error.contains("entry 1024 does not match its leaf hash"), "{error}");
}

#[test]
fn a_damaged_page_of_a_file_is_an_error_or_a_problem_and_never_intact() {
    let place = Place::sqlite().unwrap();
    let mut ledger = place.open();
    let bodies: Vec<Value> = (0..200).map(|n| json!({ "n": n })).collect();
    ledger
        .append_all(bodies.iter().map(|body| ("decision", at(1), body)))
        .unwrap();
    drop(ledger);
    place.sql("PRAGMA wal_checkpoint(TRUNCATE)");
    let bytes = std::fs::read(place.path()).unwrap();
    for page in 1..bytes.len() / 4096 {
        let mut damaged = bytes.clone();
        damaged[page * 4096..page * 4096 + 64].fill(0xff);
        std::fs::write(place.path(), &damaged).unwrap();
        let verified = place.existing().and_then(|ledger| ledger.verify(None));
        assert!(!matches!(verified, Ok(Verification::Intact { .. })), "page {page}");
    }
}

#[test]
fn a_file_that_is_cut_off_is_an_error_or_a_problem_and_never_intact() {
    let place = Place::sqlite().unwrap();
    let mut ledger = place.open();
    let bodies: Vec<Value> = (0..200).map(|n| json!({ "n": n })).collect();
    ledger
        .append_all(bodies.iter().map(|body| ("decision", at(1), body)))
        .unwrap();
    drop(ledger);
    place.sql("PRAGMA wal_checkpoint(TRUNCATE)");
    let bytes = std::fs::read(place.path()).unwrap();
    for length in (1..bytes.len()).step_by(1_500) {
        std::fs::write(place.path(), &bytes[..length]).unwrap();
        let verified = place.existing().and_then(|ledger| ledger.verify(None));
        assert!(!matches!(verified, Ok(Verification::Intact { .. })), "{length} bytes");
    }
}

#[test]
fn a_hash_is_shown_as_its_bytes() {
    let hash: Hash = format!("0f{}", "a0".repeat(31)).parse().unwrap();
    assert_eq!(hash.as_bytes()[..2], [0x0f, 0xa0]);
}
