//! What can go wrong with a ledger.

use std::path::PathBuf;
use thiserror::Error;

use crate::entry::MAX_BODY_BYTES;

/// An underlying failure whose type is nobody else's business.
type Source = Box<dyn std::error::Error + Send + Sync>;

/// Why a ledger couldn't be opened, read or written.
#[derive(Debug, Error)]
pub enum LedgerError {
    /// There is none, and it was not to be made.
    #[error("there is no ledger at `{place}`")]
    Missing {
        /// File, or database without its password.
        place: String,
    },
    /// The store can't be opened or made.
    #[error("can't open the ledger `{place}`: {source}")]
    Open {
        /// File, or database without its password.
        place: String,
        /// Cause.
        source: Source,
    },
    /// Not an SQLite database, another program's, or damaged.
    #[error("`{place}` is not a ledger: {found}")]
    NotALedger {
        /// File, or database without its password.
        place: String,
        /// What it is instead.
        found: String,
    },
    /// It was written by a later version.
    #[error("the ledger `{place}` has format {found}, and this version of holdpoint reads format {known}")]
    LaterFormat {
        /// File, or database without its password.
        place: String,
        /// Its format.
        found: i64,
        /// The one we know.
        known: i64,
    },
    /// How to reach the database can't be used.
    #[error("the connection to the ledger's database can't be used: {why}")]
    Connection {
        /// Why, without the connection string, which may hold a password.
        why: String,
    },
    /// The store failed: locked for too long, damaged pages, a statement that was refused.
    #[error("the ledger failed while {doing}: {source}")]
    Store {
        /// What was being done.
        doing: &'static str,
        /// Cause.
        source: Source,
    },
    /// There is no space left.
    #[error(
        "the disk of the ledger is full (while {doing}): nothing of this was written; free some space and run again"
    )]
    Full {
        /// What was being done.
        doing: &'static str,
    },
    /// The database went away, and did not come back in time.
    #[error("the connection to the ledger's database was lost while {doing}: {source}")]
    Lost {
        /// What was being done.
        doing: &'static str,
        /// Cause.
        source: Source,
    },
    /// The body has no JSON form that reads back as the same bytes.
    #[error("an entry of kind `{kind}` can't be stored: {why}")]
    Body {
        /// Kind of the entry.
        kind: String,
        /// Why.
        why: String,
    },
    /// The body is too large.
    #[error("an entry of kind `{kind}` is {bytes} bytes long, and the limit is {MAX_BODY_BYTES}")]
    TooLarge {
        /// Kind of the entry.
        kind: String,
        /// Size of its canonical JSON.
        bytes: usize,
    },
    /// The kind is not a short plain word.
    #[error("`{kind}` is no kind of entry: expected 1 to 64 of `a`-`z`, `0`-`9`, `-`, `_`, `.`")]
    Kind {
        /// What was given.
        kind: String,
    },
    /// Somebody else took the lease that this write was to be done under.
    #[error("the lease `{name}` was lost: {why}; nothing was written")]
    LeaseLost {
        /// Name of the lease.
        name: String,
        /// Who has it now.
        why: String,
    },
    /// Reading on or appending would build on an altered log.
    #[error("the ledger was altered: {problem}; `holdpoint ledger verify` lists everything")]
    Altered {
        /// The first problem that was met.
        problem: String,
    },
    /// What was to be pruned can't be.
    #[error("nothing was pruned: {why}")]
    Prune {
        /// Why.
        why: String,
    },
    /// The file of what was pruned can't be written or read back.
    #[error("the export `{}` failed, and nothing was pruned: {source}", .path.display())]
    Export {
        /// File.
        path: PathBuf,
        /// Cause.
        source: Source,
    },
}

impl LedgerError {
    /// The log isn't what was written.
    pub(crate) fn altered(problem: String) -> Self {
        Self::Altered { problem }
    }

    /// Whether the same may work when it is tried again.
    pub(crate) fn is_passing(&self) -> bool {
        matches!(self, Self::Lost { .. })
    }
}
