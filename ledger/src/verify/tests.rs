use super::*;
use crate::Ledger;
use crate::entry::preimage;
use crate::merkle::leaf_hash;
use holdpoint_schemas::Timestamp;
use proptest::prelude::*;
use rusqlite::params;
use serde_json::{Value, json};
use std::path::PathBuf;

/// A ledger of `size` entries, its head, and a connection of somebody who can write the file.
struct Tampering {
    _folder: tempfile::TempDir,
    path: PathBuf,
    head: Head,
    raw: Connection,
}

impl Tampering {
    fn with(size: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.db");
        let mut ledger = Ledger::open(&path).unwrap();
        let bodies: Vec<Value> = (1..=size).map(|n| json!({ "n": n })).collect();
        let at = |n: usize| Timestamp::from_second(n as i64 + 1).unwrap();
        ledger
            .append_all(bodies.iter().enumerate().map(|(n, body)| ("decision", at(n), body)))
            .unwrap();
        let head = ledger.head().unwrap();
        let raw = Connection::open(&path).unwrap();
        Self {
            _folder: folder,
            path,
            head,
            raw,
        }
    }

    /// Does something with the fences down, and puts them up again so that they give nothing away.
    fn tamper(&self, change: impl FnOnce(&Connection)) {
        let triggers = || OBJECTS.iter().filter(|(_, sql)| sql.starts_with("CREATE TRIGGER"));
        for (name, _) in triggers() {
            self.raw.execute_batch(&format!("DROP TRIGGER {name}")).unwrap();
        }
        change(&self.raw);
        for (_, sql) in triggers() {
            self.raw.execute_batch(sql).unwrap();
        }
    }

    fn sql(&self, sql: &str) {
        self.tamper(|raw| raw.execute_batch(sql).unwrap());
    }

    /// Problems without any head from outside.
    fn problems(&self) -> Vec<String> {
        self.problems_against(None)
    }

    fn problems_against(&self, head: Option<&Head>) -> Vec<String> {
        match Ledger::open_existing(&self.path).unwrap().verify(head).unwrap() {
            Verification::Intact { .. } => Vec::new(),
            Verification::Tampered { problems } => problems,
        }
    }

    /// Rewrites every leaf and every checkpoint to fit the entries: the most that someone with the
    /// file alone can do.
    fn rewrite_hashes(&self) {
        self.tamper(|raw| {
            let rows: Vec<(u64, String, String, String)> = raw
                .prepare("SELECT seq, kind, at, body FROM entry ORDER BY seq")
                .unwrap()
                .query_map([], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?)))
                .unwrap()
                .collect::<Result<_, _>>()
                .unwrap();
            raw.execute("DELETE FROM checkpoint", []).unwrap();
            let mut tree = Tree::default();
            for (seq, kind, at, body) in rows {
                let body: Value = serde_json::from_str(&body).unwrap();
                let bytes = preimage(seq, &kind, &at, &body).unwrap();
                let leaf = leaf_hash(bytes.clone()).to_string();
                tree.push(bytes);
                raw.execute("UPDATE entry SET leaf = ?2 WHERE seq = ?1", params![seq, leaf])
                    .unwrap();
                raw.execute(
                    "INSERT INTO checkpoint VALUES (?1, ?2)",
                    params![seq, tree.head().root.to_string()],
                )
                .unwrap();
            }
        });
    }
}

fn assert_names(problems: &[String], expected: &str) {
    assert!(
        problems.iter().any(|p| p.contains(expected)),
        "{expected}: {problems:#?}"
    );
}

#[test]
fn an_untouched_log_is_intact_and_consistent_with_every_head_it_ever_had() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = Ledger::open(&folder.path().join("ledger.db")).unwrap();
    let mut heads = vec![ledger.head().unwrap()];
    for n in 0..20 {
        ledger.append("run", Timestamp::UNIX_EPOCH, &json!(n)).unwrap();
        heads.push(ledger.head().unwrap());
    }
    for head in &heads {
        assert_eq!(
            ledger.verify(Some(head)).unwrap(),
            Verification::Intact { head: heads[20] },
            "{head}"
        );
    }
}

#[test]
fn putting_the_fences_down_and_up_again_alone_is_not_a_problem() {
    let log = Tampering::with(3);
    log.sql("");
    assert_eq!(log.problems(), Vec::<String>::new());
}

#[test]
fn an_edited_body_is_found() {
    let log = Tampering::with(5);
    log.sql("UPDATE entry SET body = '{\"n\":9}' WHERE seq = 3");
    assert_names(&log.problems(), "entry 3 does not match its leaf hash");
    assert_names(&log.problems(), "the root of checkpoint 3 (3 checkpoints do not match)");
}

#[test]
fn an_edited_time_or_kind_is_found() {
    for change in ["at = '2030-01-01T00:00:00Z'", "kind = 'outcome'"] {
        let log = Tampering::with(3);
        log.sql(&format!("UPDATE entry SET {change} WHERE seq = 2"));
        assert_names(&log.problems(), "entry 2 does not match its leaf hash");
    }
}

#[test]
fn a_body_that_only_reads_the_same_is_found() {
    let log = Tampering::with(3);
    log.sql("UPDATE entry SET body = '{\"n\":1,\"n\":2}' WHERE seq = 2");
    assert_names(
        &log.problems(),
        "the body of entry 2 is altered: it is not canonical JSON",
    );
}

#[test]
fn an_entry_edited_together_with_its_leaf_is_found_by_the_checkpoints() {
    let log = Tampering::with(5);
    let bytes = preimage(3, "decision", "1970-01-01T00:00:03Z", &json!({"n": 9})).unwrap();
    let leaf = leaf_hash(bytes);
    log.sql(&format!(
        "UPDATE entry SET body = '{{\"n\":9}}', leaf = '{leaf}' WHERE seq = 3"
    ));
    assert_eq!(
        log.problems(),
        ["the entries do not have the root of checkpoint 3 (3 checkpoints do not match)"]
    );
}

#[test]
fn a_dropped_entry_in_the_middle_is_found() {
    let log = Tampering::with(5);
    log.sql("DELETE FROM entry WHERE seq = 3");
    assert_names(&log.problems(), "entry 3 is missing");
}

#[test]
fn entries_dropped_at_the_tail_are_found_by_the_checkpoints() {
    let log = Tampering::with(5);
    log.sql("DELETE FROM entry WHERE seq > 3");
    assert_names(&log.problems(), "there are 3 entries, but checkpoints 4 to 5");
}

#[test]
fn a_tail_dropped_with_its_checkpoints_is_found_by_the_expected_head_only() {
    let log = Tampering::with(5);
    log.sql("DELETE FROM entry WHERE seq > 3; DELETE FROM checkpoint WHERE size > 3");
    assert_eq!(log.problems(), Vec::<String>::new(), "no file can prove this by itself");
    assert_eq!(
        log.problems_against(Some(&log.head)),
        ["the log is cut off: it has 3 entries, and the expected head stands for 5"]
    );
}

#[test]
fn two_swapped_entries_are_found() {
    let log = Tampering::with(5);
    log.sql(
        "UPDATE entry SET seq = -1 WHERE seq = 2; UPDATE entry SET seq = 2 WHERE seq = 4;
         UPDATE entry SET seq = 4 WHERE seq = -1",
    );
    assert_names(&log.problems(), "entry 2 does not match its leaf hash");
    assert_names(&log.problems(), "entry 4 does not match its leaf hash");
}

#[test]
fn renumbered_entries_are_found() {
    let log = Tampering::with(5);
    log.sql("DELETE FROM entry WHERE seq = 2; UPDATE entry SET seq = seq - 1 WHERE seq > 2");
    assert_names(&log.problems(), "entry 2 does not match its leaf hash");
    assert_names(&log.problems(), "there are 4 entries");
    let log = Tampering::with(2);
    log.sql("UPDATE entry SET seq = -7 WHERE seq = 2");
    assert_names(&log.problems(), "there is an entry at place -7");
}

#[test]
fn a_log_that_was_emptied_is_found_by_checkpoints_or_the_expected_head() {
    let log = Tampering::with(4);
    log.sql("DELETE FROM entry");
    assert_names(&log.problems(), "there are 0 entries, but checkpoints 1 to 4");
    log.sql("DELETE FROM checkpoint");
    assert_names(
        &log.problems_against(Some(&log.head)),
        "the log is cut off: it has 0 entries",
    );
}

#[test]
fn a_replaced_or_dropped_checkpoint_is_found() {
    let log = Tampering::with(5);
    log.sql(&format!(
        "UPDATE checkpoint SET root = '{}' WHERE size = 4",
        "0".repeat(64)
    ));
    assert_names(&log.problems(), "the root of checkpoint 4 (1 checkpoints");
    let log = Tampering::with(5);
    log.sql("DELETE FROM checkpoint WHERE size = 2");
    assert_names(&log.problems(), "checkpoint 2 is missing");
    let log = Tampering::with(5);
    log.sql("DELETE FROM checkpoint WHERE size = 5");
    assert_names(&log.problems(), "checkpoint 5 is missing");
}

#[test]
fn a_log_rewritten_as_a_whole_is_found_by_an_older_head_only() {
    let log = Tampering::with(5);
    log.sql("UPDATE entry SET body = '{\"n\":9}' WHERE seq = 2");
    log.rewrite_hashes();
    assert_eq!(log.problems(), Vec::<String>::new(), "no file can prove this by itself");
    assert_names(
        &log.problems_against(Some(&log.head)),
        "the log is not consistent with the expected head: its first 5 entries",
    );
    // And it stays found when the log has grown since.
    let mut ledger = Ledger::open(&log.path).unwrap();
    ledger.append("run", Timestamp::UNIX_EPOCH, &json!(1)).unwrap();
    assert_names(
        &log.problems_against(Some(&log.head)),
        "not consistent with the expected head",
    );
}

#[test]
fn a_fence_that_is_gone_or_changed_or_added_is_found() {
    for (sql, problem) in [
        ("DROP TRIGGER entry_no_delete", "`entry_no_delete` is gone"),
        (
            "DROP TRIGGER entry_no_update; CREATE TRIGGER entry_no_update BEFORE UPDATE ON entry BEGIN SELECT 1; END",
            "`entry_no_update` was changed",
        ),
        ("DROP TABLE entry", "`entry` is gone"),
        (
            "ALTER TABLE checkpoint RENAME COLUMN root TO head",
            "`checkpoint` was changed",
        ),
        ("CREATE TABLE extra (x)", "`extra` was added to the database"),
    ] {
        let log = Tampering::with(2);
        log.raw.execute_batch(sql).unwrap();
        assert_names(&log.problems(), problem);
    }
}

#[test]
fn problems_are_bounded() {
    let log = Tampering::with(150);
    log.sql("UPDATE entry SET kind = 'x'");
    let problems = log.problems();
    assert_eq!(problems.len(), MAX_PROBLEMS + 1);
    assert_eq!(problems.last().unwrap(), "and 51 more");
}

#[test]
fn a_damaged_page_is_an_error_or_a_problem_and_never_intact() {
    let log = Tampering::with(200);
    let path = log.path.clone();
    log.raw.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    let bytes = std::fs::read(&path).unwrap();
    drop(log.raw);
    for page in 1..bytes.len() / 4096 {
        let mut damaged = bytes.clone();
        damaged[page * 4096..page * 4096 + 64].fill(0xff);
        std::fs::write(&path, &damaged).unwrap();
        let verified = Ledger::open_existing(&path).and_then(|ledger| ledger.verify(None));
        assert!(!matches!(verified, Ok(Verification::Intact { .. })), "page {page}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever field of whatever entry is set to whatever else, the file alone shows it.
    #[test]
    fn any_edit_of_any_field_is_found(
        size in 1_u64..12,
        place in any::<prop::sample::Index>(),
        field in prop::sample::select(vec!["kind", "at", "body", "leaf"]),
        value in "[ -~]{0,20}",
    ) {
        let log = Tampering::with(size);
        let seq = place.index(size as usize) as u64 + 1;
        let before: String = log.raw
            .query_row(&format!("SELECT {field} FROM entry WHERE seq = ?1"), [seq], |r| r.get(0))
            .unwrap();
        prop_assume!(before != value);
        log.tamper(|raw| {
            raw.execute(&format!("UPDATE entry SET {field} = ?2 WHERE seq = ?1"), params![seq, value]).unwrap();
        });
        prop_assert!(!log.problems().is_empty());
    }

    /// Any rewrite that fixes up every hash contradicts any head that was published after the entry.
    #[test]
    fn any_whole_rewrite_contradicts_the_published_head(size in 1_u64..12, place in any::<prop::sample::Index>()) {
        let log = Tampering::with(size);
        let seq = place.index(size as usize) as u64 + 1;
        log.sql(&format!("UPDATE entry SET body = '\"other\"' WHERE seq = {seq}"));
        log.rewrite_hashes();
        prop_assert!(log.problems().is_empty());
        prop_assert!(!log.problems_against(Some(&log.head)).is_empty());
    }
}
