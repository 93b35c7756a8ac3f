//! What an auditor is given: one file that holds a signed statement about a change, the entries of the log that it
//! rests on, and the proof that each is in the log.
//!
//! A bundle is JSON:
//!
//! | field | what |
//! |---|---|
//! | `format` | [`Bundle::FORMAT`] |
//! | `key` | the log's public key: the bundle's own word, which proves nothing by itself |
//! | `checkpoint` | the log's head, signed ([`crate::note::Checkpoint`]) |
//! | `envelope` | the statement, signed ([`Envelope`], [`Statement`]) |
//! | `entries` | entries of the log in their order, each with its path to the checkpoint's root |
//!
//! [`Bundle::check`] looks at everything that needs no knowledge of what entries mean. What they mean, and whether the
//! decision follows from them, is the application's.

mod check;
mod dsse;
mod statement;
mod strict;

pub use check::{Checked, Part};
pub use dsse::{Envelope, EnvelopeError, EnvelopeSignature, IN_TOTO};
pub use statement::{
    DecisionSummary, Resource, STATEMENT_TYPE, SUMMARY_TYPE, Statement, Summary, SummaryResult, SummaryVerifier,
};

use holdpoint_schemas::digest::canonical_json;
use holdpoint_schemas::{Digest, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;

use crate::entry::Entry;
use crate::head::Hash;
use crate::proof::{Leaves, MAX_PATH, leaf_hash};

/// Longest bundle that is read: a dozen of the longest bodies that an entry may have.
pub const MAX_BUNDLE_BYTES: usize = 96 << 20;

/// Most entries of a bundle: one finding's story is some dozen.
const MAX_ENTRIES: usize = 4096;

/// Why a text is no bundle.
#[derive(Debug, Error)]
pub enum BundleError {
    /// It is too long.
    #[error("the bundle is longer than {MAX_BUNDLE_BYTES} bytes")]
    TooLong,
    /// It isn't JSON, or of another form.
    #[error("it is not a bundle: {0}")]
    Malformed(#[from] serde_json::Error),
    /// It is of a version that isn't known here.
    #[error(
        "it has the format `{found}`, and this version of holdpoint reads `{}`",
        Bundle::FORMAT
    )]
    Format {
        /// Its format.
        found: String,
    },
    /// It holds absurdly many things.
    #[error("the bundle holds more than {limit} {what}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// Most that are read.
        limit: usize,
    },
}

/// A bundle, none of it believed yet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bundle {
    /// [`Bundle::FORMAT`].
    pub format: String,
    /// The log's public key, as its text.
    pub key: String,
    /// The log's signed head.
    pub checkpoint: String,
    /// The signed statement.
    pub envelope: Envelope,
    /// Entries, by place.
    pub entries: Vec<BundledEntry>,
}

/// An entry of the log with its proof.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BundledEntry {
    /// Its place, from 1.
    pub seq: u64,
    /// Its kind.
    pub kind: String,
    /// Its time.
    pub at: Timestamp,
    /// How its leaf commits to its record.
    pub form: Form,
    /// SHA-256 of its record's canonical JSON.
    pub digest: Digest,
    /// Its record; `None` when it was pruned.
    pub body: Option<Value>,
    /// The path from its leaf to the checkpoint's root.
    pub path: Vec<Hash>,
}

/// How a leaf commits to the record of its entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// The record's digest is part of the leaf's preimage, so that the record can be pruned.
    Digest,
    /// The record itself is.
    Whole,
}

/// The hashed form of an entry: its canonical JSON is the leaf's preimage.
#[derive(Serialize)]
struct Preimage<'a> {
    at: String,
    body: &'a Value,
    kind: &'a str,
    seq: u64,
}

impl BundledEntry {
    /// An entry with its path in the log of the first `size` leaves; `None` when it isn't among them, or its leaf
    /// isn't the hash of its content.
    #[must_use]
    pub fn of(entry: &Entry, leaves: &Leaves, size: u64) -> Option<Self> {
        let path = leaves.prove_inclusion(entry.seq.checked_sub(1)?, size)?;
        let digest = Digest::of_json(&entry.body).ok()?;
        [Form::Digest, Form::Whole]
            .into_iter()
            .map(|form| Self {
                seq: entry.seq,
                kind: entry.kind.clone(),
                at: entry.at,
                form,
                digest: digest.clone(),
                body: Some(entry.body.clone()),
                path: path.clone(),
            })
            .find(|bundled| bundled.leaf() == Some(entry.leaf))
    }

    /// How the statement names it: its place and kind, and the digest of its record.
    #[must_use]
    pub fn resource(&self) -> Resource {
        Resource::sha256(
            format!("holdpoint:entry/{}/{}", self.seq, self.kind),
            self.digest.as_str(),
        )
    }

    /// Whether its record, where it has one, is the one of its digest.
    fn is_whole(&self) -> bool {
        let of_body = |body| Digest::of_json(body).is_ok_and(|digest| digest == self.digest);
        self.body.as_ref().is_none_or(of_body)
    }

    /// The leaf hash that its content has; `None` when that needs a record that isn't there.
    fn leaf(&self) -> Option<Hash> {
        let digest = Value::String(self.digest.to_string());
        let body = match self.form {
            Form::Digest => &digest,
            Form::Whole => self.body.as_ref()?,
        };
        let preimage = canonical_json(&Preimage {
            at: self.at.to_string(),
            body,
            kind: &self.kind,
            seq: self.seq,
        });
        Some(leaf_hash(&preimage.ok()?))
    }
}

impl Bundle {
    /// What `format` says.
    pub const FORMAT: &'static str = "holdpoint.bundle/1";

    /// Reads a bundle, bounded in size, depth and number; it believes nothing of it.
    ///
    /// # Errors
    /// When it isn't one, or is absurdly large.
    pub fn parse(text: &[u8]) -> Result<Self, BundleError> {
        if text.len() > MAX_BUNDLE_BYTES {
            return Err(BundleError::TooLong);
        }
        strict::check(text)?;
        let bundle: Self = serde_json::from_slice(text)?;
        if bundle.format != Self::FORMAT {
            return Err(BundleError::Format {
                found: bundle.format.chars().take(100).collect(),
            });
        }
        let too_many = |what, limit| BundleError::TooMany { what, limit };
        if bundle.entries.len() > MAX_ENTRIES {
            return Err(too_many("entries", MAX_ENTRIES));
        }
        if bundle.entries.iter().any(|entry| entry.path.len() > MAX_PATH) {
            return Err(too_many("hashes in a path", MAX_PATH));
        }
        Ok(bundle)
    }

    /// The file: canonical JSON (RFC 8785) and a line break.
    ///
    /// # Errors
    /// When it can't be written as JSON.
    pub fn to_bytes(&self) -> Result<Vec<u8>, serde_json::Error> {
        let mut bytes = canonical_json(self)?;
        bytes.push(b'\n');
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests;
