//! Snapshots: a baseline's workspace after its build, from which every candidate starts.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Names a snapshot by the digest of all that went into it. Hexadecimal, so that it can be part of
/// the name of a volume or a folder.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SnapshotKey(String);

impl SnapshotKey {
    /// A key, from 16 to 64 lower-case hexadecimal digits.
    ///
    /// # Errors
    /// For anything else.
    pub fn new(digest: impl Into<String>) -> Result<Self, BadKey> {
        let text = digest.into();
        let digits = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if (16..=64).contains(&text.len()) && digits {
            Ok(Self(text))
        } else {
            Err(BadKey)
        }
    }

    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for SnapshotKey {
    type Error = BadKey;

    fn try_from(text: String) -> Result<Self, BadKey> {
        Self::new(text)
    }
}

impl From<SnapshotKey> for String {
    fn from(key: SnapshotKey) -> Self {
        key.0
    }
}

impl fmt::Display for SnapshotKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Not the key of a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a snapshot's key has 16 to 64 lower-case hexadecimal digits")]
pub struct BadKey;

/// A snapshot that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotInfo {
    /// Its key.
    pub key: SnapshotKey,
    /// Disk that it takes, in bytes.
    pub bytes: u64,
}

/// What turns one tree into another.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TreeChange {
    /// Files that are new or differ, as an uncompressed tar archive with paths relative to the repo.
    pub written: Vec<u8>,
    /// Paths of files that aren't there any more, relative to the repo.
    pub removed: Vec<String>,
}

impl TreeChange {
    /// Whether nothing changes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.written.is_empty() && self.removed.is_empty()
    }
}
