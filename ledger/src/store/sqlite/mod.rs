//! The SQLite file. Several processes may have it open; writers take turns.

mod schema;

use rusqlite::{Connection, OpenFlags, OptionalExtension as _, Row as SqlRow, TransactionBehavior, params};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Access, Checkpoint, Found, LeaseRow, Page, PageCheck, Store};
use crate::entry::{Content, MAX_BODY_BYTES, Row};
use crate::error::LedgerError;
use crate::head::Hash;
use schema::FORMAT;

/// Marks the file as ours (`HDPT`), so that nobody else's database is written to.
const APPLICATION_ID: i64 = 0x4844_5054;

/// How long to wait for another process that writes: a run appends in bursts of milliseconds.
const BUSY_TIMEOUT: Duration = Duration::from_secs(20);

/// What an altered file may have where no reader looks.
const BEFORE_THE_FIRST: [(&str, &str); 2] = [
    ("an entry", "SELECT seq FROM entry WHERE seq < 1 LIMIT 10"),
    ("a checkpoint", "SELECT size FROM checkpoint WHERE size < 1 LIMIT 10"),
];

/// An open file.
pub(crate) struct Sqlite {
    connection: Connection,
    path: PathBuf,
}

impl Sqlite {
    /// Opens a ledger; makes it when `create` and there is none. A file of an earlier format is
    /// brought to the present one; what it holds keeps its leaves and heads.
    pub(crate) fn open(path: &Path, create: bool) -> Result<Self, LedgerError> {
        Ok(Self {
            connection: open(path, create)?,
            path: path.to_owned(),
        })
    }

    fn run(&self, doing: &'static str, sql: &str) -> Result<(), LedgerError> {
        self.connection.execute_batch(sql).map_err(failed(doing))
    }
}

impl Store for Sqlite {
    fn begin(&self, access: Access) -> Result<(), LedgerError> {
        match access {
            Access::Read => self.run("beginning to read", "BEGIN"),
            Access::Write => self.run("waiting for its turn to write", "BEGIN IMMEDIATE"),
        }
    }

    fn commit(&self) -> Result<(), LedgerError> {
        self.run("writing to disk", "COMMIT")
    }

    fn roll_back(&self) {
        // Some errors have rolled back already; then there is nothing to undo.
        if !self.connection.is_autocommit() {
            let _ = self.connection.execute_batch("ROLLBACK");
        }
    }

    fn another(&self) -> Result<Box<dyn Store>, LedgerError> {
        Ok(Box::new(Self::open(&self.path, false)?))
    }

    fn rows(&self, after: u64, kind: Option<&str>, limit: usize) -> Result<Page<Row>, LedgerError> {
        let doing = "reading entries";
        // What is absurdly large is left out, and read as an altered row.
        let mut statement = self
            .connection
            .prepare_cached(
                "SELECT seq, form, kind, at, CASE WHEN octet_length(body) <= ?1 THEN body END, digest, leaf \
                 FROM entry WHERE seq > ?2 AND (?3 IS NULL OR kind = ?3) ORDER BY seq LIMIT ?4",
            )
            .map_err(failed(doing))?;
        let mut rows = statement
            .query(params![MAX_BODY_BYTES as u64, after, kind, limit as u64])
            .map_err(failed(doing))?;
        let mut page = Vec::new();
        while let Some(row) = rows.next().map_err(failed(doing))? {
            let seq: u64 = row.get(0).map_err(failed(doing))?;
            page.push((seq, read_row(row)));
        }
        Ok(page)
    }

    fn checkpoints(&self, after: u64, limit: usize) -> Result<Page<Checkpoint>, LedgerError> {
        let doing = "reading checkpoints";
        let mut statement = self
            .connection
            .prepare_cached("SELECT size, previous, root FROM checkpoint WHERE size > ?1 ORDER BY size LIMIT ?2")
            .map_err(failed(doing))?;
        let rows = statement
            .query_map(params![after, limit as u64], |row| {
                Ok((row.get(0)?, read_checkpoint(row)))
            })
            .map_err(failed(doing))?;
        rows.collect::<Result<_, _>>().map_err(failed(doing))
    }

    fn newest_checkpoint(&self) -> Result<Option<Found<Checkpoint>>, LedgerError> {
        let doing = "reading the last checkpoint";
        let mut statement = self
            .connection
            .prepare_cached("SELECT size, previous, root FROM checkpoint ORDER BY size DESC LIMIT 1")
            .map_err(failed(doing))?;
        statement
            .query_row([], |row| Ok((row.get(0)?, read_checkpoint(row))))
            .optional()
            .map_err(failed(doing))
    }

    fn checkpoint(&self, size: u64) -> Result<Option<Checkpoint>, LedgerError> {
        let doing = "reading a checkpoint";
        let mut statement = self
            .connection
            .prepare_cached("SELECT size, previous, root FROM checkpoint WHERE size = ?1")
            .map_err(failed(doing))?;
        statement
            .query_row([size], |row| Ok(read_checkpoint(row)))
            .optional()
            .map_err(failed(doing))?
            .transpose()
            .map_err(LedgerError::altered)
    }

    fn insert(&self, rows: Vec<Row>, checkpoint: &Checkpoint, _append: u64) -> Result<(), LedgerError> {
        let doing = "appending";
        let mut statement = self
            .connection
            .prepare_cached(
                "INSERT INTO entry (seq, form, kind, at, body, digest, leaf) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )
            .map_err(failed(doing))?;
        for row in rows {
            let (body, digest) = match &row.content {
                Content::Body(text) => (Some(text), None),
                Content::Pruned(digest) => (None, Some(digest.as_bytes())),
            };
            let leaf = row.leaf.as_bytes();
            statement
                .execute(params![
                    row.seq,
                    u8::from(row.form),
                    row.kind,
                    row.at,
                    body,
                    digest,
                    leaf
                ])
                .map_err(failed(doing))?;
        }
        let root = checkpoint.root.as_ref().map(Hash::as_bytes);
        self.connection
            .execute(
                "INSERT INTO checkpoint (size, previous, root) VALUES (?1, ?2, ?3)",
                params![checkpoint.size, checkpoint.previous, root],
            )
            .map_err(failed(doing))?;
        Ok(())
    }

    fn next_append(&self) -> u64 {
        // A commit to a local file can't get lost on the way back: either it returns, or nobody is left to ask.
        0
    }

    fn appended(&self, _append: u64) -> Result<Option<u64>, LedgerError> {
        Ok(None)
    }

    fn drop_bodies(&self, bodies: &[(u64, Hash)]) -> Result<(), LedgerError> {
        let doing = "pruning";
        let mut statement = self
            .connection
            .prepare_cached("UPDATE entry SET body = NULL, digest = ?2 WHERE seq = ?1")
            .map_err(failed(doing))?;
        for (seq, digest) in bodies {
            let updated = statement
                .execute(params![seq, digest.as_bytes()])
                .map_err(failed(doing))?;
            if updated != 1 {
                return Err(LedgerError::altered(format!("entry {seq} is gone")));
            }
        }
        Ok(())
    }

    fn lease(&self, queue: &str, name: &str) -> Result<Option<LeaseRow>, LedgerError> {
        self.connection
            .query_row(
                "SELECT queue, name, place, token, holder, expires, done FROM lease WHERE queue = ?1 AND name = ?2",
                [queue, name],
                read_lease,
            )
            .optional()
            .map_err(failed("reading a lease"))
    }

    fn put_lease(&self, lease: &LeaseRow) -> Result<(), LedgerError> {
        self.connection
            .execute(
                "INSERT INTO lease (queue, name, place, token, holder, expires, done) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (queue, name) DO UPDATE SET \
                 place = ?3, token = ?4, holder = ?5, expires = ?6, done = ?7",
                params![
                    lease.queue,
                    lease.name,
                    lease.place,
                    lease.token,
                    lease.holder,
                    lease.expires,
                    lease.done
                ],
            )
            .map_err(failed("writing a lease"))?;
        Ok(())
    }

    fn next_work(&self, queue: &str, now: i64) -> Result<Option<LeaseRow>, LedgerError> {
        self.connection
            .query_row(
                "SELECT queue, name, place, token, holder, expires, done FROM lease \
                 WHERE queue = ?1 AND done = 0 AND (holder = '' OR expires <= ?2) ORDER BY place, name LIMIT 1",
                params![queue, now],
                read_lease,
            )
            .optional()
            .map_err(failed("looking for work"))
    }

    fn count_work(&self, queue: &str, now: i64) -> Result<(u64, u64), LedgerError> {
        self.connection
            .query_row(
                "SELECT count(*), coalesce(sum(holder <> '' AND expires > ?2), 0) FROM lease \
                 WHERE queue = ?1 AND done = 0",
                params![queue, now],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .map_err(failed("counting work"))
    }

    fn page_check(&self) -> Option<PageCheck> {
        let path = self.path.clone();
        Some(Box::new(move || {
            let mut found = Vec::new();
            open(&path, false)?
                .pragma_query(None, "quick_check", |row| {
                    let line: String = row.get(0)?;
                    if line != "ok" {
                        found.push(format!("SQLite reports: {}", line.escape_debug()));
                    }
                    Ok(())
                })
                .map_err(failed("checking the pages of the file"))?;
            Ok(found)
        }))
    }

    fn check(&self, report: &mut dyn FnMut(String)) -> Result<bool, LedgerError> {
        let doing = "reading the tables";
        let found = schema::objects(&self.connection).map_err(failed(doing))?;
        let expected = schema::expected_objects().map_err(failed(doing))?;
        for (name, sql) in &expected {
            match found.get(name) {
                None => report(format!("the table or trigger `{name}` is gone")),
                Some(other) if other != sql => report(format!("the table or trigger `{name}` was changed")),
                Some(_) => {}
            }
        }
        for name in found.keys().filter(|name| !expected.contains_key(*name)) {
            report(format!("`{}` was added to the database", name.escape_debug()));
        }
        let readable = ["entry", "checkpoint"]
            .iter()
            .all(|table| found.get(*table) == expected.get(*table));
        if readable {
            for (what, sql) in BEFORE_THE_FIRST {
                let mut statement = self.connection.prepare(sql).map_err(failed(doing))?;
                let mut rows = statement.query([]).map_err(failed(doing))?;
                while let Some(row) = rows.next().map_err(failed(doing))? {
                    let place: i64 = row.get(0).map_err(failed(doing))?;
                    report(format!("there is {what} at place {place}"));
                }
            }
        }
        Ok(readable)
    }
}

fn read_row(row: &SqlRow<'_>) -> Result<Row, String> {
    let seq: i64 = row.get(0).map_err(|_| "an entry has no place".to_owned())?;
    let unreadable = |name: &str| format!("the {name} of entry {seq} can't be read");
    let text = |index, name: &str| row.get::<_, String>(index).map_err(|_| unreadable(name));
    let form: i64 = row.get(1).map_err(|_| unreadable("form"))?;
    let body: Option<String> = row.get(4).map_err(|_| unreadable("body"))?;
    let digest: Option<Vec<u8>> = row.get(5).map_err(|_| unreadable("digest"))?;
    let leaf = row.get_ref(6).ok().and_then(|leaf| leaf.as_blob().ok());
    let leaf = leaf.ok_or_else(|| unreadable("leaf hash"))?;
    Row::of_stored(seq, form, (text(2, "kind")?, text(3, "time")?), (body, digest), leaf)
}

fn read_checkpoint(row: &SqlRow<'_>) -> Result<Checkpoint, String> {
    let number = |index| {
        row.get::<_, u64>(index)
            .map_err(|_| "a checkpoint can't be read".to_owned())
    };
    let root = row.get_ref(2).ok().and_then(|root| root.as_blob().ok());
    Ok(Checkpoint {
        size: number(0)?,
        previous: number(1)?,
        root: root.and_then(Hash::of_stored),
    })
}

fn read_lease(row: &SqlRow<'_>) -> rusqlite::Result<LeaseRow> {
    Ok(LeaseRow {
        queue: row.get(0)?,
        name: row.get(1)?,
        place: row.get(2)?,
        token: row.get(3)?,
        holder: row.get(4)?,
        expires: row.get(5)?,
        done: row.get(6)?,
    })
}

/// `SQLITE_IOERR_SHMSIZE` (sqlite.org/rescode.html).
const SHM_SIZE: i32 = 4874;

/// For `map_err`: SQLite failed while doing something.
fn failed(doing: &'static str) -> impl Fn(rusqlite::Error) -> LedgerError + Copy {
    move |source| match source.sqlite_error_code() {
        Some(rusqlite::ErrorCode::DiskFull) => LedgerError::Full { doing },
        // The file that connections share can't grow.
        _ if source
            .sqlite_error()
            .is_some_and(|error| error.extended_code == SHM_SIZE) =>
        {
            LedgerError::Full { doing }
        }
        _ => LedgerError::Store {
            doing,
            source: source.into(),
        },
    }
}

/// For `map_err` while opening: tells a foreign or damaged file from one that is out of reach.
fn opening(path: &Path) -> impl Fn(rusqlite::Error) -> LedgerError + Copy {
    move |source| {
        let place = path.display().to_string();
        let not_ours = |found: &str| LedgerError::NotALedger {
            place: place.clone(),
            found: found.to_owned(),
        };
        match source.sqlite_error_code() {
            Some(rusqlite::ErrorCode::NotADatabase) => not_ours("it is not an SQLite database"),
            Some(rusqlite::ErrorCode::DatabaseCorrupt) => not_ours("it is a damaged SQLite database"),
            _ => LedgerError::Open {
                place,
                source: source.into(),
            },
        }
    }
}

fn open(path: &Path, create: bool) -> Result<Connection, LedgerError> {
    let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let place = || path.display().to_string();
    if create {
        flags |= OpenFlags::SQLITE_OPEN_CREATE;
    } else if !path.exists() {
        return Err(LedgerError::Missing { place: place() });
    }
    let opening = opening(path);
    let mut connection = Connection::open_with_flags(path, flags).map_err(opening)?;
    connection.busy_timeout(BUSY_TIMEOUT).map_err(opening)?;
    // Nothing is written before the file is known to be ours or empty.
    let format = format(path, &connection)?;
    if format == 0 && !create {
        return Err(LedgerError::NotALedger {
            place: place(),
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
    if format < FORMAT {
        let transaction = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(opening)?;
        // Another process may have been faster.
        let format = self::format(path, &transaction)?;
        if format < FORMAT {
            schema::migrate(&transaction, format).map_err(opening)?;
            transaction
                .pragma_update(None, "application_id", APPLICATION_ID)
                .map_err(opening)?;
        }
        transaction.commit().map_err(opening)?;
    }
    Ok(connection)
}

/// The format of the file, 0 when it holds nothing yet; an error when it is not ours.
fn format(path: &Path, connection: &Connection) -> Result<i64, LedgerError> {
    let number = |sql| {
        connection
            .query_row(sql, [], |row| row.get::<_, i64>(0))
            .map_err(opening(path))
    };
    let objects = number("SELECT count(*) FROM sqlite_master")?;
    let (application, format) = (number("PRAGMA application_id")?, number("PRAGMA user_version")?);
    match (application, format) {
        (0, 0) if objects == 0 => Ok(0),
        (APPLICATION_ID, 1..=FORMAT) => Ok(format),
        (APPLICATION_ID, found) if found > FORMAT => Err(LedgerError::LaterFormat {
            place: path.display().to_string(),
            found,
            known: FORMAT,
        }),
        _ => Err(LedgerError::NotALedger {
            place: path.display().to_string(),
            found: "it is a database of another program".to_owned(),
        }),
    }
}

#[cfg(test)]
mod tests;
