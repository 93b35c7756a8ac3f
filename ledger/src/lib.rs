//! The ledger: every fact, decision, run, approval and outcome, in order, so that nobody can
//! quietly change what was known or allowed.
//!
//! One SQLite file holds an append-only Merkle log. Entry *n* is the RFC 6962 leaf
//! `SHA-256(0x00 || c)`, where `c` is the RFC 8785 canonical JSON of `{at, body, kind, seq}`.
//!
//! # What finds what
//!
//! | layer | finds |
//! |---|---|
//! | triggers | an accidental `UPDATE` or `DELETE`, an insert out of turn; whoever can write the file can drop them |
//! | stored leaf | an edited, moved or renumbered entry |
//! | stored checkpoint (the root after each entry) | an entry rewritten together with its leaf, entries dropped at the tail |
//! | an expected [`Head`] from outside | all of the rest: a file rewritten as a whole, or cut back together with its checkpoints |
//!
//! Nothing inside a file can prove that the file wasn't replaced. That is why the head is printed
//! in reports and written into commit trailers: [`Ledger::verify`] with any head that was ever
//! published shows whether today's log still begins with what it stood for.

pub mod approval;
pub mod bundle;
mod entry;
mod error;
mod head;
mod log;
mod merkle;
pub mod note;
pub mod proof;
mod store;
mod verify;

pub use entry::{Entry, MAX_BODY_BYTES};
pub use error::LedgerError;
pub use head::{Hash, Head, ParseHeadError};
pub use log::Ledger;
pub use verify::Verification;
