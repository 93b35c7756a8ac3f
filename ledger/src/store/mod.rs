//! Where a ledger is kept: what a store must be able to do, and the two that can.
//!
//! Each has an SQL and migrations of its own. A store only keeps rows and says what it finds: what
//! they mean, and whether they are to be believed, is decided above it, once for both.

pub(crate) mod postgres;
pub(crate) mod sqlite;

use crate::entry::Row;
use crate::error::LedgerError;
use crate::head::Hash;

/// What a transaction is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Sees one state of the store, whatever others write.
    Read,
    /// Takes turns with everybody else who writes, from its beginning.
    Write,
}

/// The root after an append, and the checkpoint before it: a chain, so that a missing one shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Checkpoint {
    /// Entries that it stands for.
    pub(crate) size: u64,
    /// Entries that the one before stands for; 0 for the first.
    pub(crate) previous: u64,
    /// The root over them; `None` when it can't be read.
    pub(crate) root: Option<Hash>,
}

/// A row or a checkpoint with its place, as it was found: what can't be read is a problem, not an end.
pub(crate) type Found<T> = (u64, Result<T, String>);

/// Rows or checkpoints in order.
pub(crate) type Page<T> = Vec<Found<T>>;

/// A check that can be done on another thread: what it finds, one line each.
pub(crate) type PageCheck = Box<dyn FnOnce() -> Result<Vec<String>, LedgerError> + Send>;

/// A lease as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LeaseRow {
    /// Queue of work; empty for a lease that stands by itself.
    pub(crate) queue: String,
    /// Name in it.
    pub(crate) name: String,
    /// Order in the queue, the first first.
    pub(crate) place: i64,
    /// Grows with each holder: the fence.
    pub(crate) token: i64,
    /// Who has or had it; empty: nobody.
    pub(crate) holder: String,
    /// Until when, in milliseconds since 1970.
    pub(crate) expires: i64,
    /// Whether the work was done.
    pub(crate) done: bool,
}

/// A transactional store of one ledger. One transaction at a time: everything but [`Store::begin`]
/// is called between that and [`Store::commit`] or [`Store::roll_back`].
///
/// Every method fails with [`LedgerError::Lost`] when the store went away; then nothing of the
/// transaction is there, except where it was lost in `commit`: then nobody knows, and
/// [`Store::appended`] tells.
pub(crate) trait Store: Send {
    /// Begins a transaction, on a new connection when the last was lost.
    fn begin(&self, access: Access) -> Result<(), LedgerError>;

    /// Makes it last, on disk.
    fn commit(&self) -> Result<(), LedgerError>;

    /// Undoes it; what can't be undone is gone with the connection.
    fn roll_back(&self);

    /// Another connection to the same store, to read on beside this one.
    fn another(&self) -> Result<Box<dyn Store>, LedgerError>;

    /// At most `limit` rows behind a place, in order; with a kind, those of that kind.
    fn rows(&self, after: u64, kind: Option<&str>, limit: usize) -> Result<Page<Row>, LedgerError>;

    /// At most `limit` checkpoints behind a size, in order.
    fn checkpoints(&self, after: u64, limit: usize) -> Result<Page<Checkpoint>, LedgerError>;

    /// The last checkpoint, with its size. Every append makes one: two transactions that see the same see the same log.
    fn newest_checkpoint(&self) -> Result<Option<Found<Checkpoint>>, LedgerError>;

    /// Whether there is a checkpoint at a size, and what it says.
    fn checkpoint(&self, size: u64) -> Result<Option<Checkpoint>, LedgerError>;

    /// Adds rows and the checkpoint behind them, and remembers the append by its id.
    fn insert(&self, rows: Vec<Row>, checkpoint: &Checkpoint, append: u64) -> Result<(), LedgerError>;

    /// The number of an append that nobody else has: it is asked for once, and used again when the
    /// append is tried again.
    fn next_append(&self) -> u64;

    /// The size of the log after this store's append of that number, when it went through.
    fn appended(&self, append: u64) -> Result<Option<u64>, LedgerError>;

    /// Replaces bodies by their digests.
    fn drop_bodies(&self, bodies: &[(u64, Hash)]) -> Result<(), LedgerError>;

    /// A lease, if it was ever made.
    fn lease(&self, queue: &str, name: &str) -> Result<Option<LeaseRow>, LedgerError>;

    /// Makes or replaces a lease.
    fn put_lease(&self, lease: &LeaseRow) -> Result<(), LedgerError>;

    /// The first undone item of a queue whose lease has run out by `now`.
    fn next_work(&self, queue: &str, now: i64) -> Result<Option<LeaseRow>, LedgerError>;

    /// Undone items of a queue, and those of them that somebody has.
    fn count_work(&self, queue: &str, now: i64) -> Result<(u64, u64), LedgerError>;

    /// A check of the pages that the store is made of, for stores that leave that to whoever reads them. It is done on a
    /// connection of its own, and says what is wrong.
    fn page_check(&self) -> Option<PageCheck>;

    /// Checks the store by its own means: tables, fences, places before the first. Says whether rows can be read.
    fn check(&self, report: &mut dyn FnMut(String)) -> Result<bool, LedgerError>;
}
