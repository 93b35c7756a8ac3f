//! The ledger as users verify it.

use crate::support::{Estate, stderr, stdout};

fn sqlite(estate: &Estate) -> rusqlite::Connection {
    rusqlite::Connection::open(estate.file("state/ledger.sqlite")).unwrap()
}

#[test]
fn the_demo_ledger_verifies_against_the_head_in_a_commit_trailer() {
    let estate = Estate::after_demo();
    let message = estate.remote_git("admin", &["log", "-1", "--format=%B", "main"]);
    let head = message
        .lines()
        .find_map(|line| line.strip_prefix("Holdpoint-Ledger: "))
        .unwrap()
        .to_owned();
    let verified = estate.run(&["ledger", "verify", "--head", &head]);
    assert!(verified.status.success(), "{}", stdout(&verified));
}

#[test]
fn a_changed_entry_is_found_and_no_run_goes_on() {
    let estate = Estate::after_demo();
    let database = sqlite(&estate);
    let triggers: Vec<String> = {
        let mut statement = database
            .prepare("SELECT name FROM sqlite_master WHERE type = 'trigger'")
            .unwrap();
        statement
            .query_map([], |row| row.get(0))
            .unwrap()
            .map(Result::unwrap)
            .collect()
    };
    for trigger in triggers {
        database.execute_batch(&format!("DROP TRIGGER \"{trigger}\"")).unwrap();
    }
    let changed = database
        .execute(
            "UPDATE entry SET body = replace(body, '\"suggest\"', '\"auto-apply\"') WHERE kind = 'decision'",
            [],
        )
        .unwrap();
    assert!(changed > 0);
    drop(database);
    let verified = estate.run(&["ledger", "verify"]);
    assert_eq!(verified.status.code(), Some(11), "{}", stdout(&verified));
    assert_eq!(
        estate.run(&["run"]).status.code(),
        Some(3),
        "a run on a changed history"
    );
}

#[test]
fn damage_that_stops_the_reading_is_an_altered_ledger() {
    let estate = Estate::after_demo();
    let database = sqlite(&estate);
    database
        .execute_batch("PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode = DELETE")
        .unwrap();
    let triggers: Vec<String> = {
        let mut statement = database
            .prepare("SELECT name FROM sqlite_master WHERE type = 'trigger'")
            .unwrap();
        let names = statement.query_map([], |row| row.get(0)).unwrap();
        names.map(Result::unwrap).collect()
    };
    for trigger in triggers {
        database.execute_batch(&format!("DROP TRIGGER \"{trigger}\"")).unwrap();
    }
    // Nobody can read so many places.
    let changed = database.execute(
        "UPDATE checkpoint SET size = 9223372036854775807 WHERE size = (SELECT max(size) FROM checkpoint)",
        [],
    );
    assert_eq!(changed.unwrap(), 1);
    drop(database);
    let verified = estate.run(&["ledger", "verify"]);
    assert_eq!(
        verified.status.code(),
        Some(11),
        "{} {}",
        stdout(&verified),
        stderr(&verified)
    );
    assert_eq!(estate.run(&["rollout", "status"]).status.code(), Some(3));
}
