//! The SQLite file: its tables, its fences, and how it is opened.

use rusqlite::{Connection, OpenFlags, TransactionBehavior};
use std::path::Path;
use std::time::Duration;

use crate::error::LedgerError;

/// Marks the file as ours (`HDPT`), so that nobody else's database is written to.
const APPLICATION_ID: i64 = 0x4844_5054;

/// Format of the file.
const FORMAT: i64 = 1;

/// How long to wait for another process that writes: a run appends in bursts of milliseconds.
const BUSY_TIMEOUT: Duration = Duration::from_secs(20);

/// Everything that the database holds, by name. [`crate::Ledger::verify`] compares the file with
/// it, since a missing fence is a trace of whoever took it down.
pub(crate) const OBJECTS: [(&str, &str); 8] = [
    (
        "entry",
        "CREATE TABLE entry (seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, at TEXT NOT NULL, \
         body TEXT NOT NULL, leaf TEXT NOT NULL) STRICT",
    ),
    (
        "checkpoint",
        "CREATE TABLE checkpoint (size INTEGER PRIMARY KEY, root TEXT NOT NULL) STRICT",
    ),
    (
        "entry_in_turn",
        "CREATE TRIGGER entry_in_turn BEFORE INSERT ON entry \
         WHEN NEW.seq <> (SELECT coalesce(max(seq), 0) + 1 FROM entry) \
         BEGIN SELECT raise(ABORT, 'entries are only appended'); END",
    ),
    (
        "entry_no_update",
        "CREATE TRIGGER entry_no_update BEFORE UPDATE ON entry \
         BEGIN SELECT raise(ABORT, 'entries are never changed'); END",
    ),
    (
        "entry_no_delete",
        "CREATE TRIGGER entry_no_delete BEFORE DELETE ON entry \
         BEGIN SELECT raise(ABORT, 'entries are never dropped'); END",
    ),
    (
        "checkpoint_in_turn",
        "CREATE TRIGGER checkpoint_in_turn BEFORE INSERT ON checkpoint \
         WHEN NEW.size <> (SELECT coalesce(max(size), 0) + 1 FROM checkpoint) \
         BEGIN SELECT raise(ABORT, 'checkpoints are only appended'); END",
    ),
    (
        "checkpoint_no_update",
        "CREATE TRIGGER checkpoint_no_update BEFORE UPDATE ON checkpoint \
         BEGIN SELECT raise(ABORT, 'checkpoints are never changed'); END",
    ),
    (
        "checkpoint_no_delete",
        "CREATE TRIGGER checkpoint_no_delete BEFORE DELETE ON checkpoint \
         BEGIN SELECT raise(ABORT, 'checkpoints are never dropped'); END",
    ),
];

/// Opens a ledger; makes it when `create` and there is none.
pub(crate) fn open(path: &Path, create: bool) -> Result<Connection, LedgerError> {
    let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    if create {
        flags |= OpenFlags::SQLITE_OPEN_CREATE;
    } else if !path.exists() {
        return Err(LedgerError::Missing { path: path.to_owned() });
    }
    let opening = LedgerError::opening(path);
    let mut connection = Connection::open_with_flags(path, flags).map_err(opening)?;
    connection.busy_timeout(BUSY_TIMEOUT).map_err(opening)?;
    // Nothing is written before the file is known to be ours or empty.
    let empty = is_empty(path, &connection)?;
    if empty && !create {
        return Err(LedgerError::NotALedger {
            path: path.to_owned(),
            found: "it is empty".to_owned(),
        });
    }
    for (pragma, value) in [
        ("journal_mode", "WAL"),
        // A report that names a head must not outlive the entries it stands for, even at power loss.
        ("synchronous", "FULL"),
        ("trusted_schema", "OFF"),
        ("cell_size_check", "ON"),
    ] {
        connection.pragma_update(None, pragma, value).map_err(opening)?;
    }
    if empty {
        let transaction = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(opening)?;
        // Another process may have been faster.
        if is_empty(path, &transaction)? {
            for (_, sql) in OBJECTS {
                transaction.execute_batch(sql).map_err(opening)?;
            }
            transaction
                .pragma_update(None, "application_id", APPLICATION_ID)
                .map_err(opening)?;
            transaction
                .pragma_update(None, "user_version", FORMAT)
                .map_err(opening)?;
        }
        transaction.commit().map_err(opening)?;
    }
    Ok(connection)
}

/// Whether the database holds nothing yet; an error when it is not ours.
fn is_empty(path: &Path, connection: &Connection) -> Result<bool, LedgerError> {
    let number = |sql| {
        connection
            .query_row(sql, [], |row| row.get::<_, i64>(0))
            .map_err(LedgerError::opening(path))
    };
    let objects = number("SELECT count(*) FROM sqlite_master")?;
    let (application, format) = (number("PRAGMA application_id")?, number("PRAGMA user_version")?);
    match (application, format) {
        (0, 0) if objects == 0 => Ok(true),
        (APPLICATION_ID, FORMAT) => Ok(false),
        (APPLICATION_ID, found) if found > FORMAT => Err(LedgerError::LaterFormat {
            path: path.to_owned(),
            found,
            known: FORMAT,
        }),
        _ => Err(LedgerError::NotALedger {
            path: path.to_owned(),
            found: "it is a database of another program".to_owned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> tempfile::TempDir {
        tempfile::tempdir().unwrap()
    }

    #[test]
    fn a_file_that_is_not_sqlite_is_refused_and_left_alone() {
        let folder = folder();
        let path = folder.path().join("ledger.db");
        let text = "this is a text file, and quite a long one".repeat(100);
        std::fs::write(&path, &text).unwrap();
        let error = open(&path, true).unwrap_err();
        assert!(error.to_string().ends_with("it is not an SQLite database"), "{error}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    }

    #[test]
    fn a_database_of_another_program_is_refused_and_left_alone() {
        let folder = folder();
        let path = folder.path().join("other.db");
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
        let folder = folder();
        let path = folder.path().join("ledger.db");
        open(&path, true)
            .unwrap()
            .pragma_update(None, "user_version", 7)
            .unwrap();
        let error = open(&path, true).unwrap_err();
        assert!(matches!(error, LedgerError::LaterFormat { found: 7, .. }), "{error}");
    }

    #[test]
    fn a_ledger_that_must_exist_is_not_made() {
        let folder = folder();
        let path = folder.path().join("none.db");
        assert!(matches!(open(&path, false), Err(LedgerError::Missing { .. })));
        assert!(!path.exists());
        std::fs::write(&path, "").unwrap();
        assert!(matches!(open(&path, false), Err(LedgerError::NotALedger { .. })));
    }

    #[test]
    fn a_folder_that_is_not_there_is_an_error_with_its_path() {
        let folder = folder();
        let error = open(&folder.path().join("no/such/ledger.db"), true).unwrap_err();
        assert!(error.to_string().contains("no/such/ledger.db"), "{error}");
    }

    #[test]
    fn the_fences_refuse_change_and_removal() {
        let folder = folder();
        let connection = open(&folder.path().join("ledger.db"), true).unwrap();
        connection
            .execute_batch("INSERT INTO entry VALUES (1,'k','t','b','l'); INSERT INTO checkpoint VALUES (1,'r')")
            .unwrap();
        for (sql, fence) in [
            ("UPDATE entry SET body = 'x'", "never changed"),
            ("DELETE FROM entry", "never dropped"),
            ("INSERT INTO entry VALUES (3,'k','t','b','l')", "only appended"),
            (
                "INSERT OR REPLACE INTO entry VALUES (1,'k','t','x','l')",
                "only appended",
            ),
            ("UPDATE checkpoint SET root = 'x'", "never changed"),
            ("DELETE FROM checkpoint", "never dropped"),
            ("INSERT INTO checkpoint VALUES (5,'r')", "only appended"),
        ] {
            let error = connection.execute(sql, []).unwrap_err().to_string();
            assert!(error.contains(fence), "{sql}: {error}");
        }
    }
}
