//! The tables of the SQLite file, their fences, and how older files become the present form.

use rusqlite::{Connection, Transaction};
use std::collections::BTreeMap;

/// One step from a format to the next, applied in one transaction and recorded.
struct Migration {
    /// Format that the file has afterwards.
    format: i64,
    /// What it does, in a word or two.
    name: &'static str,
    /// Statements.
    sql: &'static str,
}

/// Every format that there ever was, in order; a new file goes through all of them.
const MIGRATIONS: [Migration; 2] = [
    Migration {
        format: 1,
        name: "log",
        sql: include_str!("format_1.sql"),
    },
    Migration {
        format: 2,
        name: "digests and leases",
        sql: include_str!("format_2.sql"),
    },
];

/// The format that this version writes.
pub(super) const FORMAT: i64 = 2;

/// Brings a file from a format (0: it is empty) to the present one.
pub(super) fn migrate(transaction: &Transaction<'_>, from: i64) -> rusqlite::Result<()> {
    for migration in MIGRATIONS.iter().filter(|migration| migration.format > from) {
        transaction.execute_batch(migration.sql)?;
    }
    // The table of migrations came with format 2.
    for migration in &MIGRATIONS {
        transaction.execute(
            "INSERT INTO migration (format, name) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
            (migration.format, migration.name),
        )?;
    }
    transaction.pragma_update(None, "user_version", FORMAT)
}

/// Tables, triggers and indices by name, with the text that made each.
pub(super) fn objects(connection: &Connection) -> rusqlite::Result<BTreeMap<String, String>> {
    let mut statement = connection.prepare("SELECT name, coalesce(sql, '') FROM sqlite_master")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    rows.collect()
}

/// What [`objects`] must find in a file that nobody tampered with: what the migrations make.
pub(super) fn expected_objects() -> rusqlite::Result<BTreeMap<String, String>> {
    let mut fresh = Connection::open_in_memory()?;
    let transaction = fresh.transaction()?;
    migrate(&transaction, 0)?;
    objects(&transaction)
}
