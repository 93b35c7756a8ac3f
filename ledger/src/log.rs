//! Appending and reading.

use holdpoint_schemas::Timestamp;
use serde::Serialize;
use std::cell::RefCell;
use std::path::Path;

use crate::entry::{Draft, Entry, Row, Stub};
use crate::error::LedgerError;
use crate::head::{Hash, Head};
use crate::lease::{self, Lease};
use crate::merkle::Frontier;
use crate::read::{Checkpoints, Rows};
use crate::store::postgres::{Postgres, PostgresOptions};
use crate::store::sqlite::Sqlite;
use crate::store::{Access, Checkpoint, Store};
use crate::verify::{self, Verification};

/// How often a transaction is begun again when the store went away in it. Each beginning waits for
/// the store to come back by itself.
const ATTEMPTS: u32 = 5;

/// An open ledger. Several processes may have the same one open; writers take turns.
pub struct Ledger {
    pub(crate) store: Box<dyn Store>,
    /// The right edge of what this process has read or written and found to be whole.
    frontier: RefCell<Frontier>,
    /// The lease that every append is to be done under.
    held: Option<Lease>,
}

/// A look at the store inside of the transaction that will append: `false` or an error, and nothing is appended.
type Guard<'a> = &'a mut dyn FnMut(&dyn Store) -> Result<bool, LedgerError>;

impl Ledger {
    /// Opens the ledger in an SQLite file; makes it when there is none.
    ///
    /// # Errors
    /// When the file can't be opened or made, isn't a ledger, or is of a later format.
    pub fn open(path: &Path) -> Result<Self, LedgerError> {
        Ok(Self::over(Box::new(Sqlite::open(path, true)?)))
    }

    /// Opens a ledger that must exist: for everything that only reads, so that a mistyped path is
    /// an error and not an empty ledger that verifies.
    ///
    /// # Errors
    /// As [`Ledger::open`], and when there is no such file or it is empty.
    pub fn open_existing(path: &Path) -> Result<Self, LedgerError> {
        Ok(Self::over(Box::new(Sqlite::open(path, false)?)))
    }

    /// Opens the ledger in a PostgreSQL database; makes its schema when there is none.
    ///
    /// # Errors
    /// When the database can't be reached, what is in the schema isn't a ledger, or is of a later format.
    pub fn open_postgres(options: &PostgresOptions) -> Result<Self, LedgerError> {
        Ok(Self::over(Box::new(Postgres::open(options, true)?)))
    }

    /// As [`Ledger::open_existing`], in a PostgreSQL database.
    ///
    /// # Errors
    /// As [`Ledger::open_postgres`], and when there is no ledger.
    pub fn open_existing_postgres(options: &PostgresOptions) -> Result<Self, LedgerError> {
        Ok(Self::over(Box::new(Postgres::open(options, false)?)))
    }

    pub(crate) fn over(store: Box<dyn Store>) -> Self {
        Self {
            store,
            frontier: RefCell::default(),
            held: None,
        }
    }

    /// From now on every append of this ledger is refused when `lease` was lost, as with
    /// [`Ledger::append_fenced`].
    pub fn hold(&mut self, lease: Lease) {
        self.held = Some(lease);
    }

    /// Appends one entry. It is on disk when this returns.
    ///
    /// # Errors
    /// When the body can't be stored, the log was altered since it was written, or the store fails.
    pub fn append<T: Serialize>(&mut self, kind: &str, at: Timestamp, body: &T) -> Result<Entry, LedgerError> {
        let draft = Draft::new(kind, at, body)?;
        only(self.append_drafts(vec![draft], &mut |_| Ok(true))?)
    }

    /// Appends several entries, all or none, in the order given.
    ///
    /// # Errors
    /// As [`Ledger::append`]; then nothing was appended.
    pub fn append_all<'a, T: Serialize + 'a>(
        &mut self,
        items: impl IntoIterator<Item = (&'a str, Timestamp, &'a T)>,
    ) -> Result<Vec<Entry>, LedgerError> {
        self.append_drafts(drafts(items)?, &mut |_| Ok(true))
    }

    /// Appends several entries if a lease still holds, in the same transaction: whoever was taken
    /// for dead and replaced can't write any more, however late it wakes up.
    ///
    /// # Errors
    /// As [`Ledger::append_all`], and [`LedgerError::LeaseLost`] when somebody took the lease.
    pub fn append_fenced<'a, T: Serialize + 'a>(
        &mut self,
        lease: &Lease,
        items: impl IntoIterator<Item = (&'a str, Timestamp, &'a T)>,
    ) -> Result<Vec<Entry>, LedgerError> {
        self.append_drafts(drafts(items)?, &mut |store| lease::check(store, lease).map(|_| true))
    }

    /// Marks a piece of work as done and appends what came of it, in one transaction: of two
    /// workers that did the same, one is refused.
    ///
    /// # Errors
    /// As [`Ledger::append_fenced`].
    pub fn finish<'a, T: Serialize + 'a>(
        &mut self,
        work: &Lease,
        items: impl IntoIterator<Item = (&'a str, Timestamp, &'a T)>,
    ) -> Result<Vec<Entry>, LedgerError> {
        self.append_drafts(drafts(items)?, &mut |store| lease::finish(store, work).map(|()| true))
    }

    /// Appends one entry if `check` says so, given all entries behind place `since`. No other
    /// writer comes in between: what `check` saw is what the entry is appended to. It may be asked
    /// again when the store goes away. `None`: it said no.
    ///
    /// # Errors
    /// As [`Ledger::append`].
    pub fn append_if<T: Serialize>(
        &mut self,
        kind: &str,
        at: Timestamp,
        body: &T,
        since: u64,
        mut check: impl FnMut(&[Entry]) -> bool,
    ) -> Result<Option<Entry>, LedgerError> {
        let draft = Draft::new(kind, at, body)?;
        let mut appended = self.append_drafts(vec![draft], &mut |store| Ok(check(&read(store, since, None)?)))?;
        Ok(appended.pop())
    }

    /// Appends in one transaction what the guard lets through; nothing, when it doesn't.
    pub(crate) fn append_drafts(&mut self, drafts: Vec<Draft>, guard: Guard<'_>) -> Result<Vec<Entry>, LedgerError> {
        if self.frontier.borrow().size() == 0 {
            // A long log is read before it is anybody's turn to write.
            self.head()?;
        }
        let append = self.store.next_append();
        let count = drafts.len() as u64;
        let mut again = false;
        let appended = self.transact(Access::Write, |store| {
            let mut frontier = self.frontier.borrow().clone();
            // Of a commit whose answer was lost nobody knows whether it went through.
            if again && let Some(last) = store.appended(append)? {
                return Ok(Some((frontier, last)));
            }
            again = true;
            catch_up(store, &mut frontier)?;
            if let Some(lease) = &self.held {
                lease::check(store, lease)?;
            }
            if !guard(store)? {
                return Ok(None);
            }
            let previous = frontier.size();
            let mut rows = Vec::with_capacity(drafts.len());
            for draft in &drafts {
                let row = draft.row(frontier.size() + 1);
                frontier.push(row.leaf);
                rows.push(row);
            }
            if !rows.is_empty() {
                let head = frontier.head();
                let checkpoint = Checkpoint {
                    size: head.size,
                    previous,
                    root: Some(head.root),
                };
                store.insert(rows, &checkpoint, append)?;
            }
            let last = frontier.size();
            Ok(Some((frontier, last)))
        })?;
        let Some((frontier, last)) = appended else {
            return Ok(Vec::new());
        };
        self.frontier.replace(frontier);
        let places = (last + 1).saturating_sub(count)..;
        Ok(drafts
            .into_iter()
            .zip(places)
            .map(|(draft, seq)| draft.into_entry(seq))
            .collect())
    }

    /// One transaction, begun again a few times when the store goes away in it.
    pub(crate) fn transact<T>(
        &self,
        access: Access,
        mut work: impl FnMut(&dyn Store) -> Result<T, LedgerError>,
    ) -> Result<T, LedgerError> {
        let store = &*self.store;
        let mut attempt = 1;
        loop {
            let done = (store.begin(access)).and_then(|()| {
                let value = work(store)?;
                store.commit()?;
                Ok(value)
            });
            match done {
                Err(error) => {
                    store.roll_back();
                    if !error.is_passing() || attempt == ATTEMPTS {
                        return Err(error);
                    }
                    attempt += 1;
                }
                done => return done,
            }
        }
    }

    /// All entries, or those of one kind, in order; without those whose bodies were pruned. Each is
    /// checked against its leaf hash.
    ///
    /// # Errors
    /// When an entry doesn't match its leaf, or the store fails.
    pub fn entries(&self, kind: Option<&str>) -> Result<Vec<Entry>, LedgerError> {
        self.transact(Access::Read, |store| read(store, 0, kind))
    }

    /// As [`Ledger::entries`] of any kind, of the places behind `seq`: for who has read up to there.
    ///
    /// # Errors
    /// As [`Ledger::entries`].
    pub fn entries_after(&self, seq: u64) -> Result<Vec<Entry>, LedgerError> {
        self.transact(Access::Read, |store| read(store, seq, None))
    }

    /// Some of the entries behind `seq`, in order, without those whose bodies were pruned, and the place up to which that
    /// is all; `None`: there are no more. A log of any length is so read in bounded memory.
    ///
    /// # Errors
    /// As [`Ledger::entries`].
    pub fn page_after(&self, seq: u64) -> Result<Option<(Vec<Entry>, u64)>, LedgerError> {
        self.transact(Access::Read, |store| {
            let page = Rows::at_once(seq).page(store)?;
            let Some(last) = page.last().map(|(place, _)| *place) else {
                return Ok(None);
            };
            let entries = page.into_iter().map(|(_, row)| row.and_then(Row::into_entry));
            let entries: Result<Vec<_>, _> = entries.filter_map(Result::transpose).collect();
            Ok(Some((entries.map_err(LedgerError::altered)?, last)))
        })
    }

    /// What the entry at a place keeps, pruned or not; `None` where there is no such place. It is checked against its
    /// leaf hash.
    ///
    /// # Errors
    /// When the entry doesn't match its leaf, or the store fails.
    pub fn stub(&self, seq: u64) -> Result<Option<Stub>, LedgerError> {
        let Some(before) = seq.checked_sub(1) else {
            return Ok(None);
        };
        self.transact(Access::Read, |store| {
            let found = store
                .rows(before, None, 1)?
                .into_iter()
                .find(|(place, _)| *place == seq);
            let stub = found.map(|(_, row)| row.and_then(Row::into_stub)).transpose();
            stub.map_err(LedgerError::altered)
        })
    }

    /// The leaf hash of every entry, pruned or not, in order: what proofs are cut from. Each is checked.
    ///
    /// # Errors
    /// When an entry doesn't match its leaf or is missing, or the store fails.
    pub fn leaves(&self) -> Result<Vec<Hash>, LedgerError> {
        self.transact(Access::Read, verify::leaves)
    }

    /// The head of the log, computed from its content, not read from where it is stored.
    ///
    /// # Errors
    /// When the log was altered, or the store fails.
    pub fn head(&mut self) -> Result<Head, LedgerError> {
        let frontier = self.transact(Access::Read, |store| {
            let mut frontier = self.frontier.borrow().clone();
            catch_up(store, &mut frontier)?;
            Ok(frontier)
        })?;
        let head = frontier.head();
        self.frontier.replace(frontier);
        Ok(head)
    }

    /// Checks the whole log, and that it still begins with what `expected` stood for (see the
    /// crate's page for what each layer finds).
    ///
    /// # Errors
    /// When the store can't be read: tampering that it can read past is a [`Verification`].
    pub fn verify(&self, expected: Option<&Head>) -> Result<Verification, LedgerError> {
        let (verification, frontier) = self.transact(Access::Read, |store| verify::verify(store, expected))?;
        if matches!(verification, Verification::Intact { .. }) {
            self.frontier.replace(frontier);
        }
        Ok(verification)
    }
}

fn drafts<'a, T: Serialize + 'a>(
    items: impl IntoIterator<Item = (&'a str, Timestamp, &'a T)>,
) -> Result<Vec<Draft>, LedgerError> {
    items
        .into_iter()
        .map(|(kind, at, body)| Draft::new(kind, at, body))
        .collect()
}

fn only(mut entries: Vec<Entry>) -> Result<Entry, LedgerError> {
    (entries.pop()).ok_or_else(|| LedgerError::altered("the appended entry is not there".to_owned()))
}

fn read(store: &dyn Store, after: u64, kind: Option<&str>) -> Result<Vec<Entry>, LedgerError> {
    let mut entries = Vec::new();
    Rows::after(after, kind).each(store, |_, row| {
        if let Some(entry) = row.and_then(Row::into_entry).map_err(LedgerError::altered)? {
            entries.push(entry);
        }
        Ok(())
    })?;
    Ok(entries)
}

/// Grows the frontier by what others appended, and refuses to build on a log that doesn't match it.
fn catch_up(store: &dyn Store, frontier: &mut Frontier) -> Result<(), LedgerError> {
    let mut previous = frontier.size();
    if previous > 0 {
        // What this process already knows must still be there as it was.
        let known = store.checkpoint(previous)?;
        let known = known.ok_or_else(|| LedgerError::altered(format!("checkpoint {previous} is missing")))?;
        check_root(&known, frontier)?;
    }
    let mut checkpoints = Checkpoints::after(previous);
    let mut next = checkpoints.next(store)?;
    Rows::after(previous, None).each(store, |_, row| {
        let row = row.map_err(LedgerError::altered)?;
        row.check().map_err(LedgerError::altered)?;
        let expected = frontier.size() + 1;
        if row.seq != expected {
            return Err(LedgerError::altered(format!("entry {expected} is missing")));
        }
        frontier.push(row.leaf);
        if let Some(checkpoint) = next.as_ref().filter(|checkpoint| checkpoint.size == frontier.size()) {
            check_root(checkpoint, frontier)?;
            previous = checkpoint.size;
            next = checkpoints.next(store)?;
        }
        Ok(())
    })?;
    let size = frontier.size();
    match next {
        Some(left) => Err(LedgerError::altered(format!(
            "there are {size} entries and a checkpoint of {}",
            left.size
        ))),
        None if previous != size => Err(LedgerError::altered(format!(
            "there are {size} entries and the last checkpoint is of {previous}"
        ))),
        None => Ok(()),
    }
}

/// The checkpoint at a size must hold the root that the content has.
fn check_root(checkpoint: &Checkpoint, frontier: &Frontier) -> Result<(), LedgerError> {
    if checkpoint.root != Some(frontier.head().root) {
        return Err(LedgerError::altered(format!(
            "the root of checkpoint {} is not that of its entries",
            checkpoint.size
        )));
    }
    Ok(())
}
