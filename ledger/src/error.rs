//! What can go wrong with a ledger.

use std::path::{Path, PathBuf};
use thiserror::Error;

use crate::entry::MAX_BODY_BYTES;

/// An underlying failure whose type is nobody else's business.
type Source = Box<dyn std::error::Error + Send + Sync>;

/// Why a ledger couldn't be opened, read or written.
#[derive(Debug, Error)]
pub enum LedgerError {
    /// There is no such file, and it was not to be made.
    #[error("there is no ledger at `{}`", .path.display())]
    Missing {
        /// File.
        path: PathBuf,
    },
    /// The file can't be opened or made.
    #[error("can't open the ledger `{}`: {source}", .path.display())]
    Open {
        /// File.
        path: PathBuf,
        /// Cause.
        source: Source,
    },
    /// The file is not an SQLite database, another program's, or damaged.
    #[error("`{}` is not a ledger: {found}", .path.display())]
    NotALedger {
        /// File.
        path: PathBuf,
        /// What it is instead.
        found: String,
    },
    /// The file was written by a later version.
    #[error("the ledger `{}` has format {found}, and this version of holdpoint reads format {known}", .path.display())]
    LaterFormat {
        /// File.
        path: PathBuf,
        /// Its format.
        found: i64,
        /// The one we know.
        known: i64,
    },
    /// SQLite failed: disk full, locked for too long, damaged pages.
    #[error("the ledger failed while {doing}: {source}")]
    Sqlite {
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
    /// Reading on or appending would build on an altered log.
    #[error("the ledger was altered: {problem}; `holdpoint ledger verify` lists everything")]
    Altered {
        /// The first problem that was met.
        problem: String,
    },
}

impl LedgerError {
    /// For `map_err`: SQLite failed while doing something.
    pub(crate) fn sqlite(doing: &'static str) -> impl FnOnce(rusqlite::Error) -> Self {
        move |source| Self::Sqlite {
            doing,
            source: source.into(),
        }
    }

    /// For `map_err` while opening: tells a foreign or damaged file from one that is out of reach.
    pub(crate) fn opening(path: &Path) -> impl FnOnce(rusqlite::Error) -> Self + Copy {
        move |source| match source.sqlite_error_code() {
            Some(rusqlite::ErrorCode::NotADatabase) => Self::NotALedger {
                path: path.to_owned(),
                found: "it is not an SQLite database".to_owned(),
            },
            Some(rusqlite::ErrorCode::DatabaseCorrupt) => Self::NotALedger {
                path: path.to_owned(),
                found: "it is a damaged SQLite database".to_owned(),
            },
            _ => Self::Open {
                path: path.to_owned(),
                source: source.into(),
            },
        }
    }
}
