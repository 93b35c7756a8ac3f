use super::*;
use crate::{Form, Ledger, Verification};
use holdpoint_schemas::Timestamp;
use serde_json::{Value, json};
use std::path::PathBuf;

fn place() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    (folder, path)
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

#[test]
fn a_file_that_is_not_sqlite_is_refused_and_left_alone() {
    let (_folder, path) = place();
    let text = "this is a text file, and quite a long one".repeat(100);
    std::fs::write(&path, &text).unwrap();
    let error = open(&path, true).unwrap_err();
    assert!(error.to_string().ends_with("it is not an SQLite database"), "{error}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
}

#[test]
fn a_database_of_another_program_is_refused_and_left_alone() {
    let (_folder, path) = place();
    let other = Connection::open(&path).unwrap();
    other.execute_batch("CREATE TABLE t (x)").unwrap();
    drop(other);
    let before = std::fs::read(&path).unwrap();
    let error = open(&path, true).unwrap_err();
    assert!(error.to_string().contains("another program"), "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[test]
fn a_later_format_is_refused() {
    let (_folder, path) = place();
    open(&path, true)
        .unwrap()
        .pragma_update(None, "user_version", 7)
        .unwrap();
    let error = open(&path, true).unwrap_err();
    assert!(matches!(error, LedgerError::LaterFormat { found: 7, .. }), "{error}");
}

#[test]
fn an_empty_file_is_no_ledger_where_there_must_be_one() {
    let (_folder, path) = place();
    std::fs::write(&path, "").unwrap();
    assert!(matches!(open(&path, false), Err(LedgerError::NotALedger { .. })));
}

#[test]
fn a_folder_that_is_not_there_is_an_error_with_its_path() {
    let (folder, _) = place();
    let error = open(&folder.path().join("no/such/ledger.db"), true).unwrap_err();
    assert!(error.to_string().contains("no/such/ledger.db"), "{error}");
}

#[test]
fn a_half_done_transaction_is_not_there_for_others_nor_after_a_kill() {
    let (_folder, path) = place();
    let mut ledger = Ledger::open(&path).unwrap();
    ledger.append("run", at(1), &json!(1)).unwrap();
    let head = ledger.head().unwrap();
    let intact = Verification::Intact { head, pruned: 0 };
    let half = Connection::open(&path).unwrap();
    half.execute_batch("BEGIN IMMEDIATE; INSERT INTO entry VALUES (2, 2, 'run', 't', '{}', NULL, x'00')")
        .unwrap();
    let reader = Ledger::open_existing(&path).unwrap();
    assert_eq!(reader.verify(None).unwrap(), intact);
    // What a kill leaves: the files as they are now, and no process that has them open.
    let copy = path.with_file_name("copy.db");
    std::fs::copy(&path, &copy).unwrap();
    std::fs::copy(path.with_extension("db-wal"), copy.with_extension("db-wal")).unwrap();
    let mut survivor = Ledger::open_existing(&copy).unwrap();
    assert_eq!(survivor.verify(None).unwrap(), intact);
    assert_eq!(survivor.append("run", at(2), &json!(2)).unwrap().seq, 2);
    drop(half);
    assert_eq!(ledger.append("run", at(2), &json!(2)).unwrap().seq, 2);
    assert_eq!(ledger.head().unwrap(), survivor.head().unwrap());
}

#[test]
fn a_full_disk_is_said_and_leaves_nothing_half_written() {
    let (_folder, path) = place();
    let mut ledger = Ledger::open(&path).unwrap();
    ledger.append("run", at(1), &json!(1)).unwrap();
    drop(ledger);
    let store = Sqlite::open(&path, true).unwrap();
    let pages: i64 = store
        .connection
        .query_row("PRAGMA page_count", [], |row| row.get(0))
        .unwrap();
    // SQLite's own bound on the file: what it does there is what it does when the disk is at its end.
    let bound: i64 = store
        .connection
        .query_row(&format!("PRAGMA max_page_count = {}", pages + 4), [], |row| row.get(0))
        .unwrap();
    assert_eq!(bound, pages + 4);
    let mut ledger = Ledger::over(Box::new(store));
    let head = ledger.head().unwrap();
    let large = json!("x".repeat(100_000));
    let bodies = [&json!(2), &large, &json!(3)];
    let error = ledger.append_all(bodies.map(|body| ("run", at(2), body))).unwrap_err();
    assert!(matches!(error, LedgerError::Full { .. }), "{error}");
    assert!(error.to_string().contains("nothing of this was written"), "{error}");
    assert_eq!(ledger.head().unwrap(), head);
    assert_eq!(ledger.verify(None).unwrap(), Verification::Intact { head, pruned: 0 });
    ledger.append("run", at(3), &json!(2)).unwrap();
}

/// A file as the first version wrote it: leaves over whole bodies, a checkpoint after each entry.
fn format_1(path: &Path, bodies: &[Value]) -> crate::Head {
    let raw = Connection::open(path).unwrap();
    raw.execute_batch(include_str!("format_1.sql")).unwrap();
    raw.pragma_update(None, "application_id", APPLICATION_ID).unwrap();
    raw.pragma_update(None, "user_version", 1).unwrap();
    let mut frontier = crate::merkle::Frontier::default();
    for (seq, body) in (1_u64..).zip(bodies) {
        let entry = crate::Entry {
            seq,
            kind: "run".to_owned(),
            at: at(1),
            body: body.clone(),
            leaf: frontier.head().root,
            form: Form::Whole,
        };
        let leaf = crate::merkle::leaf_hash(&entry.preimage().unwrap());
        frontier.push(leaf);
        let text = holdpoint_schemas::digest::canonical_json(body).unwrap();
        raw.execute(
            "INSERT INTO entry VALUES (?1, 'run', ?2, ?3, ?4)",
            params![
                seq,
                at(1).to_string(),
                String::from_utf8(text).unwrap(),
                leaf.to_string()
            ],
        )
        .unwrap();
        raw.execute(
            "INSERT INTO checkpoint VALUES (?1, ?2)",
            params![seq, frontier.head().root.to_string()],
        )
        .unwrap();
    }
    frontier.head()
}

#[test]
fn a_file_of_format_1_keeps_its_heads_and_is_appended_to() {
    let (folder, path) = place();
    let old = format_1(&path, &[json!({"n": 1}), json!("é"), json!(0.5)]);
    let mut ledger = Ledger::open_existing(&path).unwrap();
    assert_eq!(
        ledger.verify(Some(&old)).unwrap(),
        Verification::Intact { head: old, pruned: 0 }
    );
    let next = ledger.append("run", at(2), &json!({"n": 2})).unwrap();
    assert_eq!((next.seq, next.form), (4, Form::Digest));
    let forms: Vec<Form> = (ledger.entries(None).unwrap().iter()).map(|entry| entry.form).collect();
    assert_eq!(forms, [Form::Whole, Form::Whole, Form::Whole, Form::Digest]);
    // Their leaves commit to all of them, so they stay whole.
    let pruned = ledger.prune(&[1, 4].into(), folder.path(), at(3)).unwrap();
    assert_eq!((pruned.bodies, pruned.kept), (1, 1));
    drop(ledger);
    let again = Ledger::open(&path).unwrap();
    assert!(matches!(
        again.verify(Some(&old)).unwrap(),
        Verification::Intact { pruned: 1, .. }
    ));
}

#[test]
fn tampering_with_a_file_of_format_1_is_still_found_after_its_migration() {
    for (sql, found) in [
        (
            "UPDATE entry SET body = '{\"n\":1,\"n\":2}' WHERE seq = 2",
            "it is not canonical JSON",
        ),
        (
            "UPDATE entry SET body = '3' WHERE seq = 2",
            "entry 2 does not match its leaf hash",
        ),
        (
            "UPDATE entry SET leaf = 'none' WHERE seq = 2",
            "the leaf hash of entry 2 can't be read",
        ),
        ("DELETE FROM entry WHERE seq = 2", "entry 2 is missing"),
        ("DELETE FROM checkpoint WHERE size = 2", "checkpoint 2 is missing"),
        (
            "UPDATE checkpoint SET root = 'none' WHERE size = 2",
            "the root of checkpoint 2",
        ),
    ] {
        let (_folder, path) = place();
        format_1(&path, &[json!({"n": 1}), json!({"n": 2}), json!({"n": 3})]);
        let raw = Connection::open(&path).unwrap();
        for name in [
            "entry_no_update",
            "entry_no_delete",
            "checkpoint_no_update",
            "checkpoint_no_delete",
        ] {
            raw.execute_batch(&format!("DROP TRIGGER {name}")).unwrap();
        }
        raw.execute_batch(sql).unwrap();
        for statement in include_str!("format_1.sql")
            .lines()
            .filter(|line| line.contains("_no_"))
        {
            raw.execute_batch(statement).unwrap();
        }
        drop(raw);
        match Ledger::open(&path).unwrap().verify(None).unwrap() {
            Verification::Tampered { problems } => {
                assert!(
                    problems.iter().any(|problem| problem.contains(found)),
                    "{sql}: {problems:#?}"
                );
            }
            Verification::Intact { .. } => panic!("{sql}: not found"),
        }
    }
}

#[test]
fn every_step_to_the_present_format_is_recorded() {
    let (_folder, path) = place();
    format_1(&path, &[json!(1)]);
    let migrated = open(&path, true).unwrap();
    let (_folder, path) = place();
    let fresh = open(&path, true).unwrap();
    for connection in [migrated, fresh] {
        let formats: Vec<i64> = connection
            .prepare("SELECT format FROM migration ORDER BY format")
            .unwrap()
            .query_map([], |row| row.get(0))
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap();
        assert_eq!(formats, (1..=FORMAT).collect::<Vec<_>>());
        assert_eq!(
            schema::objects(&connection).unwrap(),
            schema::expected_objects().unwrap()
        );
    }
}
