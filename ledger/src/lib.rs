//! The ledger: every fact, decision, run, approval and outcome, in order, so that nobody can
//! quietly change what was known or allowed.
//!
//! An append-only Merkle log, in an SQLite file or in a PostgreSQL database. Entry *n* is the RFC 6962 leaf
//! `SHA-256(0x00 || c)`, where `c` is the RFC 8785 canonical JSON of `{at, body, kind, seq}` and `body` is the SHA-256
//! of the body's own canonical JSON. So a body can be pruned and its place still be proved. (In form 1, which older
//! files begin with, `body` is the body itself.)
//!
//! The order is that of `seq`. Times are what the clocks of those who append said: they may go back when one jumps.
//!
//! # What finds what
//!
//! | layer | finds |
//! |---|---|
//! | triggers | an accidental `UPDATE` or `DELETE`, an insert out of turn; whoever owns the store can drop them |
//! | stored leaf | an edited, moved or renumbered entry |
//! | stored checkpoints (the root after each append, each naming the one before) | an entry rewritten together with its leaf, entries or checkpoints dropped |
//! | `prune` entries | a body that is gone and that nobody said would go |
//! | an expected [`Head`] from outside | all of the rest: a log rewritten as a whole, or cut back together with its checkpoints |
//!
//! Nothing inside a store can prove that the store wasn't replaced. That is why the head is printed
//! in reports and written into commit trailers: [`Ledger::verify`] with any head that was ever
//! published shows whether today's log still begins with what it stood for.

pub mod approval;
pub mod bundle;
mod entry;
mod error;
mod head;
mod lease;
mod log;
mod merkle;
pub mod note;
pub mod proof;
mod prune;
mod read;
mod store;
mod verify;

pub use entry::{Entry, Form, MAX_BODY_BYTES, Stub};
pub use error::LedgerError;
pub use head::{Hash, Head, ParseHeadError};
pub use lease::{Claim, Lease};
pub use log::Ledger;
pub use prune::{PRUNE, PruneRecord, Pruned, read_export_line};
pub use store::postgres::{PostgresOptions, Secret};
pub use verify::Verification;
