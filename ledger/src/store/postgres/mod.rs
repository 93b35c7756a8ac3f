//! A schema of a PostgreSQL database. Several hosts may have it open; writers take turns by an
//! advisory lock, so that the log has one order and no transaction ever has to be undone for
//! another's sake.

mod link;
mod options;
mod schema;

use postgres::Row as SqlRow;
use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};

use super::{Access, Checkpoint, LeaseRow, Page, PageCheck, Store};
use crate::entry::{Content, MAX_BODY_BYTES, Row};
use crate::error::LedgerError;
use crate::head::Hash;
use link::{Failure, Link, Session};
use options::Target;
pub use options::{PostgresOptions, Secret};
use schema::{FORMAT, Found, LOCKS};

/// Bytes of rows that one statement inserts, about: far below the limit of a message.
const INSERT_BYTES: usize = 16 << 20;

/// Wait before the second attempt to connect; it doubles up to [`LONGEST_WAIT`].
const FIRST_WAIT: Duration = Duration::from_millis(100);

/// Longest wait between two attempts to connect.
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// How long a server may be away when a ledger is opened: one that is being restarted is back by then, and whoever
/// mistyped its address hears of it.
const OPENING: Duration = Duration::from_secs(3);

/// What an altered table may have where no reader looks.
const BEFORE_THE_FIRST: [(&str, &str); 2] = [
    ("an entry", "SELECT seq FROM entry WHERE seq < 1 ORDER BY seq LIMIT 10"),
    (
        "a checkpoint",
        "SELECT size FROM checkpoint WHERE size < 1 ORDER BY size LIMIT 10",
    ),
];

/// An open schema.
pub(crate) struct Postgres {
    target: Target,
    /// `None` after it was lost.
    link: RefCell<Option<Link>>,
    /// Tells this process's appends from others'.
    client: String,
    appends: Cell<u64>,
}

impl Postgres {
    /// Opens a ledger; makes it when `create` and the schema holds nothing.
    pub(crate) fn open(options: &PostgresOptions, create: bool) -> Result<Self, LedgerError> {
        let target = Target::new(options)?;
        let failed = |failure: Failure| LedgerError::Open {
            place: target.place.clone(),
            source: match failure {
                Failure::Postgres(error) => link::said(&error).into(),
                Failure::Gone(why) => why.into(),
            },
        };
        let patience = |failure: &Failure| match failure.is_starting() {
            true => target.patience,
            false => target.patience.min(OPENING),
        };
        let link = connect_with(&target, patience).map_err(failed)?;
        let mut found = link.call(schema::look).map_err(failed)?;
        if create && (found == Found::Empty || matches!(found, Found::Format(older) if older < FORMAT)) {
            let schema = target.schema.clone();
            (link.call(move |session| schema::migrate(session, &schema))).map_err(failed)?;
            found = link.call(schema::look).map_err(failed)?;
        }
        let place = target.place.clone();
        match found {
            Found::Format(FORMAT) => {}
            Found::Format(found) if found > FORMAT => {
                return Err(LedgerError::LaterFormat {
                    place,
                    found,
                    known: FORMAT,
                });
            }
            Found::Empty => return Err(LedgerError::Missing { place }),
            Found::Format(_) | Found::Other => {
                return Err(LedgerError::NotALedger {
                    place,
                    found: "the schema holds something else".to_owned(),
                });
            }
        }
        let client = link
            .call(|session| {
                session
                    .client
                    .query_one("SELECT gen_random_uuid()::text", &[])?
                    .try_get(0)
            })
            .map_err(failed)?;
        Ok(Self {
            target,
            link: RefCell::new(Some(link)),
            client,
            appends: Cell::new(0),
        })
    }

    /// Does something on the connection; forgets it when it is lost.
    fn call<T: Send + 'static>(
        &self,
        doing: &'static str,
        work: impl FnOnce(&mut Session) -> Result<T, postgres::Error> + Send + 'static,
    ) -> Result<T, LedgerError> {
        let done = match self.link.borrow().as_ref() {
            None => Err(Failure::Gone("the connection broke off")),
            Some(link) => link.call(work),
        };
        done.map_err(|failure| {
            let error = failure.of(doing);
            if error.is_passing() {
                self.link.replace(None);
            }
            error
        })
    }

    /// Connects again, for as long as there is patience.
    fn connected(&self) -> Result<(), LedgerError> {
        if self.link.borrow().is_some() {
            return Ok(());
        }
        match connect_with(&self.target, |_| self.target.patience) {
            Ok(link) => {
                self.link.replace(Some(link));
                Ok(())
            }
            // Patience is at its end: nobody is to try once more.
            Err(failure) => Err(match failure.of("connecting again") {
                LedgerError::Lost { doing, source } => LedgerError::Store { doing, source },
                other => other,
            }),
        }
    }
}

/// Connects; tries again while what fails may pass, for as long as there is patience with it.
fn connect_with(target: &Target, patience: impl Fn(&Failure) -> Duration) -> Result<Link, Failure> {
    let begun = Instant::now();
    let mut wait = FIRST_WAIT;
    loop {
        match connect(target) {
            Err(failure) if failure.is_passing() && begun.elapsed() + wait < patience(&failure) => {
                std::thread::sleep(wait);
                wait = (2 * wait).min(LONGEST_WAIT);
            }
            done => return done,
        }
    }
}

/// One attempt to connect.
fn connect(target: &Target) -> Result<Link, Failure> {
    let link = Link::connect(target.config.clone(), target.tls.clone())?;
    let settings = format!(
        "SET search_path TO \"{}\"; SET client_min_messages = warning; SET statement_timeout = '60s'; \
         SET lock_timeout = '30s'; SET idle_in_transaction_session_timeout = '{}ms'; \
         SELECT set_config('synchronous_commit', 'on', false) \
         WHERE current_setting('synchronous_commit') IN ('off', 'local');",
        target.schema,
        target.idle.as_millis()
    );
    link.call(move |session| session.client.batch_execute(&settings))?;
    Ok(link)
}

impl Store for Postgres {
    fn begin(&self, access: Access) -> Result<(), LedgerError> {
        self.connected()?;
        match access {
            Access::Read => self.call("beginning to read", |session| {
                (session.client).batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            }),
            // What comes after the lock sees all that was committed before it was given.
            Access::Write => self.call("waiting for its turn to write", |session| {
                (session.client).batch_execute("BEGIN ISOLATION LEVEL READ COMMITTED")?;
                let lock = session.prepared(
                    "SELECT pg_advisory_xact_lock($1, ('entry'::regclass::oid::bigint % 2147483647)::int)::text",
                )?;
                session.client.execute(&lock, &[&LOCKS]).map(drop)
            }),
        }
    }

    fn commit(&self) -> Result<(), LedgerError> {
        self.call("committing", |session| session.client.batch_execute("COMMIT"))
    }

    fn roll_back(&self) {
        if self.link.borrow().is_some()
            && (self.call("undoing", |session| session.client.batch_execute("ROLLBACK"))).is_err()
        {
            self.link.replace(None);
        }
    }

    fn another(&self) -> Result<Box<dyn Store>, LedgerError> {
        let link = connect(&self.target).map_err(|failure| failure.of("connecting once more"))?;
        Ok(Box::new(Self {
            target: self.target.clone(),
            link: RefCell::new(Some(link)),
            client: self.client.clone(),
            appends: Cell::new(0),
        }))
    }

    fn rows(&self, after: u64, kind: Option<&str>, limit: usize) -> Result<Page<Row>, LedgerError> {
        let kind = kind.map(str::to_owned);
        self.call("reading entries", move |session| {
            // What is absurdly large is left out, and read as an altered row.
            let select = session.prepared(
                "SELECT seq, form, kind, at, CASE WHEN octet_length(body) <= $1 THEN body END, digest, leaf \
                 FROM entry WHERE seq > $2 AND ($3::text IS NULL OR kind = $3) ORDER BY seq LIMIT $4",
            )?;
            let rows = session.client.query(
                &select,
                &[&(MAX_BODY_BYTES as i32), &signed(after), &kind, &(limit as i64)],
            )?;
            rows.iter().map(read_row).collect()
        })
    }

    fn checkpoints(&self, after: u64, limit: usize) -> Result<Page<Checkpoint>, LedgerError> {
        self.call("reading checkpoints", move |session| {
            let select = session
                .prepared("SELECT size, previous, root FROM checkpoint WHERE size > $1 ORDER BY size LIMIT $2")?;
            let rows = session.client.query(&select, &[&signed(after), &(limit as i64)])?;
            rows.iter().map(read_checkpoint).collect()
        })
    }

    fn newest_checkpoint(&self) -> Result<Option<super::Found<Checkpoint>>, LedgerError> {
        self.call("reading the last checkpoint", |session| {
            let select = session.prepared("SELECT size, previous, root FROM checkpoint ORDER BY size DESC LIMIT 1")?;
            let row = session.client.query_opt(&select, &[])?;
            row.as_ref().map(read_checkpoint).transpose()
        })
    }

    fn checkpoint(&self, size: u64) -> Result<Option<Checkpoint>, LedgerError> {
        let found = self.call("reading a checkpoint", move |session| {
            let select = session.prepared("SELECT size, previous, root FROM checkpoint WHERE size = $1")?;
            let row = session.client.query_opt(&select, &[&signed(size)])?;
            row.as_ref().map(read_checkpoint).transpose()
        })?;
        let checkpoint = found.map(|(_, checkpoint)| checkpoint).transpose();
        checkpoint.map_err(LedgerError::altered)
    }

    fn insert(&self, rows: Vec<Row>, checkpoint: &Checkpoint, append: u64) -> Result<(), LedgerError> {
        let doing = "appending";
        let mut chunk = Columns::default();
        for row in rows {
            chunk.push(row);
            if chunk.bytes > INSERT_BYTES {
                let full = std::mem::take(&mut chunk);
                self.call(doing, move |session| full.insert(session))?;
            }
        }
        let (size, previous) = (signed(checkpoint.size), signed(checkpoint.previous));
        let root = checkpoint.root.map(|root| root.as_bytes().to_vec());
        let (client, append) = (self.client.clone(), signed(append));
        self.call(doing, move |session| {
            chunk.insert(session)?;
            let insert = session.prepared("INSERT INTO checkpoint (size, previous, root) VALUES ($1, $2, $3)")?;
            session.client.execute(&insert, &[&size, &previous, &root])?;
            let remember = session.prepared(
                "INSERT INTO append (client, number, size) VALUES ($1, $2, $3) \
                 ON CONFLICT (client) DO UPDATE SET number = $2, size = $3, used = now()",
            )?;
            session.client.execute(&remember, &[&client, &append, &size])?;
            if append == 1 {
                // Once a process: nobody asks after this long.
                (session.client).execute("DELETE FROM append WHERE used < now() - interval '7 days'", &[])?;
            }
            Ok(())
        })
    }

    fn next_append(&self) -> u64 {
        self.appends.set(self.appends.get() + 1);
        self.appends.get()
    }

    fn appended(&self, append: u64) -> Result<Option<u64>, LedgerError> {
        let client = self.client.clone();
        self.call("asking whether an append went through", move |session| {
            let select = session.prepared("SELECT size FROM append WHERE client = $1 AND number = $2")?;
            let row = session.client.query_opt(&select, &[&client, &signed(append)])?;
            let size: Option<i64> = row.map(|row| row.try_get(0)).transpose()?;
            Ok(size.and_then(|size| u64::try_from(size).ok()))
        })
    }

    fn drop_bodies(&self, bodies: &[(u64, Hash)]) -> Result<(), LedgerError> {
        let doing = "pruning";
        let places: Vec<i64> = bodies.iter().map(|(seq, _)| signed(*seq)).collect();
        let digests: Vec<Vec<u8>> = bodies.iter().map(|(_, digest)| digest.as_bytes().to_vec()).collect();
        let updated = self.call(doing, move |session| {
            session.client.execute(
                "UPDATE entry SET body = NULL, digest = d.digest FROM unnest($1::bigint[], $2::bytea[]) \
                 AS d(seq, digest) WHERE entry.seq = d.seq",
                &[&places, &digests],
            )
        })?;
        if updated != bodies.len() as u64 {
            return Err(LedgerError::altered(
                "an entry that was to be pruned is gone".to_owned(),
            ));
        }
        Ok(())
    }

    fn lease(&self, queue: &str, name: &str) -> Result<Option<LeaseRow>, LedgerError> {
        let (queue, name) = (queue.to_owned(), name.to_owned());
        self.call("reading a lease", move |session| {
            let select = session.prepared(
                "SELECT queue, name, place, token, holder, expires, done FROM lease WHERE queue = $1 AND name = $2",
            )?;
            let row = session.client.query_opt(&select, &[&queue, &name])?;
            row.as_ref().map(read_lease).transpose()
        })
    }

    fn put_lease(&self, lease: &LeaseRow) -> Result<(), LedgerError> {
        let lease = lease.clone();
        self.call("writing a lease", move |session| {
            let put = session.prepared(
                "INSERT INTO lease (queue, name, place, token, holder, expires, done) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (queue, name) DO UPDATE SET \
                 place = $3, token = $4, holder = $5, expires = $6, done = $7",
            )?;
            let LeaseRow {
                queue,
                name,
                place,
                token,
                holder,
                expires,
                done,
            } = &lease;
            (session.client)
                .execute(&put, &[queue, name, place, token, holder, expires, done])
                .map(drop)
        })
    }

    fn next_work(&self, queue: &str, now: i64) -> Result<Option<LeaseRow>, LedgerError> {
        let queue = queue.to_owned();
        self.call("looking for work", move |session| {
            let select = session.prepared(
                "SELECT queue, name, place, token, holder, expires, done FROM lease \
                 WHERE queue = $1 AND NOT done AND (holder = '' OR expires <= $2) ORDER BY place, name LIMIT 1",
            )?;
            let row = session.client.query_opt(&select, &[&queue, &now])?;
            row.as_ref().map(read_lease).transpose()
        })
    }

    fn count_work(&self, queue: &str, now: i64) -> Result<(u64, u64), LedgerError> {
        let queue = queue.to_owned();
        let (open, held): (i64, i64) = self.call("counting work", move |session| {
            let row = session.client.query_one(
                "SELECT count(*), count(*) FILTER (WHERE holder <> '' AND expires > $2) FROM lease \
                 WHERE queue = $1 AND NOT done",
                &[&queue, &now],
            )?;
            Ok((row.try_get(0)?, row.try_get(1)?))
        })?;
        Ok((open.unsigned_abs(), held.unsigned_abs()))
    }

    fn page_check(&self) -> Option<PageCheck> {
        None
    }

    fn check(&self, report: &mut dyn FnMut(String)) -> Result<bool, LedgerError> {
        let doing = "reading the tables";
        let (problems, readable) = self.call(doing, schema::check)?;
        problems.into_iter().for_each(&mut *report);
        if readable {
            for (what, sql) in BEFORE_THE_FIRST {
                let places: Vec<i64> = self.call(doing, move |session| {
                    let rows = session.client.query(sql, &[])?;
                    rows.iter().map(|row| row.try_get(0)).collect()
                })?;
                for place in places {
                    report(format!("there is {what} at place {place}"));
                }
            }
        }
        Ok(readable)
    }
}

/// Rows as columns: one statement inserts them all.
#[derive(Default)]
struct Columns {
    seq: Vec<i64>,
    form: Vec<i16>,
    kind: Vec<String>,
    at: Vec<String>,
    body: Vec<Option<String>>,
    digest: Vec<Option<Vec<u8>>>,
    leaf: Vec<Vec<u8>>,
    bytes: usize,
}

impl Columns {
    fn push(&mut self, row: Row) {
        self.bytes += row.bytes();
        let (body, digest) = match row.content {
            Content::Body(text) => (Some(text), None),
            Content::Pruned(digest) => (None, Some(digest.as_bytes().to_vec())),
        };
        self.seq.push(signed(row.seq));
        self.form.push(u8::from(row.form).into());
        self.kind.push(row.kind);
        self.at.push(row.at);
        self.body.push(body);
        self.digest.push(digest);
        self.leaf.push(row.leaf.as_bytes().to_vec());
    }

    fn insert(&self, session: &mut Session) -> Result<(), postgres::Error> {
        if self.seq.is_empty() {
            return Ok(());
        }
        let insert = session.prepared(
            "INSERT INTO entry (seq, form, kind, at, body, digest, leaf) SELECT * FROM \
             unnest($1::bigint[], $2::smallint[], $3::text[], $4::text[], $5::text[], $6::bytea[], $7::bytea[])",
        )?;
        (session.client)
            .execute(
                &insert,
                &[
                    &self.seq,
                    &self.form,
                    &self.kind,
                    &self.at,
                    &self.body,
                    &self.digest,
                    &self.leaf,
                ],
            )
            .map(drop)
    }
}

fn read_row(row: &SqlRow) -> Result<(u64, Result<Row, String>), postgres::Error> {
    let seq: i64 = row.try_get(0)?;
    let form: i16 = row.try_get(1)?;
    let leaf: Vec<u8> = row.try_get(6)?;
    let read = Row::of_stored(
        seq,
        form.into(),
        (row.try_get(2)?, row.try_get(3)?),
        (row.try_get(4)?, row.try_get(5)?),
        &leaf,
    );
    Ok((seq.unsigned_abs(), read))
}

fn read_checkpoint(row: &SqlRow) -> Result<(u64, Result<Checkpoint, String>), postgres::Error> {
    let (size, previous): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
    let root: Vec<u8> = row.try_get(2)?;
    let checkpoint = u64::try_from(previous)
        .map(|previous| Checkpoint {
            size: size.unsigned_abs(),
            previous,
            root: Hash::of_stored(&root),
        })
        .map_err(|_| "a checkpoint can't be read".to_owned());
    Ok((size.unsigned_abs(), checkpoint))
}

fn read_lease(row: &SqlRow) -> Result<LeaseRow, postgres::Error> {
    Ok(LeaseRow {
        queue: row.try_get(0)?,
        name: row.try_get(1)?,
        place: row.try_get(2)?,
        token: row.try_get(3)?,
        holder: row.try_get(4)?,
        expires: row.try_get(5)?,
        done: row.try_get(6)?,
    })
}

/// A place as PostgreSQL has it; nobody has written as many entries as it can't hold.
fn signed(place: u64) -> i64 {
    i64::try_from(place).unwrap_or(i64::MAX)
}
