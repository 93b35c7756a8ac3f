//! Proofs as files: what `holdpoint ledger prove` and `ledger consistency` print, and anyone verifies.

use holdpoint_schemas::Timestamp;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{Leaves, MAX_PATH, verify_consistency, verify_inclusion};
use crate::head::{Hash, Head};
use crate::note::{Checkpoint, CheckpointError, VerifierKey};

/// Why a proof proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ProofError {
    /// A checkpoint can't be believed.
    #[error("the {which} can't be believed: {error}")]
    Checkpoint {
        /// Which one.
        which: &'static str,
        /// Why.
        error: CheckpointError,
    },
    /// The path leads elsewhere.
    #[error("the path does not lead from entry {seq} to the root of the checkpoint")]
    Inclusion {
        /// The entry.
        seq: u64,
    },
    /// The path leads elsewhere.
    #[error(
        "the path does not show that the log of {second} entries begins with that of {first}: it was rewritten, or the proof was changed"
    )]
    Consistency {
        /// Entries of the older.
        first: u64,
        /// Entries of the newer.
        second: u64,
    },
    /// The path is absurdly long.
    #[error("the path is longer than {MAX_PATH} hashes")]
    TooLong,
}

/// Shows that an entry is in the log of a signed checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InclusionDocument {
    /// [`InclusionDocument::FORMAT`].
    pub format: String,
    /// The entry's place, from 1.
    pub seq: u64,
    /// Its kind, for people: the leaf commits to it, this document doesn't show that.
    pub kind: String,
    /// Its time, likewise.
    pub at: Timestamp,
    /// Its leaf hash.
    pub leaf: Hash,
    /// The path, from the leaf up.
    pub path: Vec<Hash>,
    /// The signed checkpoint.
    pub checkpoint: String,
}

impl InclusionDocument {
    /// What `format` says.
    pub const FORMAT: &'static str = "holdpoint.inclusion/1";

    /// What the proof shows, if it shows it: the log that holds the entry.
    ///
    /// # Errors
    /// When the checkpoint isn't signed with the key, or the path leads elsewhere.
    pub fn verify(&self, key: &VerifierKey) -> Result<Checkpoint, ProofError> {
        let checkpoint = believed("checkpoint", &self.checkpoint, key)?;
        let index = self.seq.checked_sub(1).ok_or(ProofError::Inclusion { seq: self.seq })?;
        if self.path.len() > MAX_PATH {
            return Err(ProofError::TooLong);
        }
        if !verify_inclusion(&self.leaf, index, &self.path, &checkpoint.head) {
            return Err(ProofError::Inclusion { seq: self.seq });
        }
        Ok(checkpoint)
    }
}

/// Shows that a later state of the log only added to an earlier one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConsistencyDocument {
    /// [`ConsistencyDocument::FORMAT`].
    pub format: String,
    /// The earlier state, as it was printed then: `<entries>:<root>`.
    pub first: Head,
    /// The path.
    pub path: Vec<Hash>,
    /// The signed checkpoint of the later state.
    pub checkpoint: String,
}

impl ConsistencyDocument {
    /// What `format` says.
    pub const FORMAT: &'static str = "holdpoint.consistency/1";

    /// The proof from one state of a log to a later one; `None` when the log hasn't had so many entries.
    #[must_use]
    pub fn of(leaves: &Leaves, first: u64, second: u64, checkpoint: String) -> Option<Self> {
        Some(Self {
            format: Self::FORMAT.to_owned(),
            first: leaves.head(first)?,
            path: leaves.prove_consistency(first, second)?,
            checkpoint,
        })
    }

    /// What the proof shows, if it shows it: the later state. Whether `first` is the state that one has kept is for
    /// whoever kept it to compare.
    ///
    /// # Errors
    /// When the checkpoint isn't signed with the key, or the path leads elsewhere.
    pub fn verify(&self, key: &VerifierKey) -> Result<Checkpoint, ProofError> {
        let checkpoint = believed("checkpoint", &self.checkpoint, key)?;
        if self.path.len() > MAX_PATH {
            return Err(ProofError::TooLong);
        }
        if !verify_consistency(&self.first, &checkpoint.head, &self.path) {
            return Err(ProofError::Consistency {
                first: self.first.size,
                second: checkpoint.head.size,
            });
        }
        Ok(checkpoint)
    }
}

fn believed(which: &'static str, note: &str, key: &VerifierKey) -> Result<Checkpoint, ProofError> {
    Checkpoint::verified(note, key).map_err(|error| ProofError::Checkpoint { which, error })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::note::SignerKey;
    use crate::proof::leaf_hash;

    fn log() -> Leaves {
        (0..10_u8).map(|n| leaf_hash(&[n])).collect()
    }

    fn key(seed: u8) -> SignerKey {
        SignerKey::from_seed("holdpoint/test", &[seed; 32]).unwrap()
    }

    fn checkpoint(size: u64, seed: u8) -> String {
        Checkpoint::sign(log().head(size).unwrap(), &key(seed))
            .unwrap()
            .to_string()
    }

    #[test]
    fn an_entry_is_shown_to_be_in_the_log_of_a_signed_checkpoint() {
        let proof = InclusionDocument {
            format: InclusionDocument::FORMAT.to_owned(),
            seq: 4,
            kind: "decision".to_owned(),
            at: Timestamp::UNIX_EPOCH,
            leaf: leaf_hash(&[3]),
            path: log().prove_inclusion(3, 10).unwrap(),
            checkpoint: checkpoint(10, 1),
        };
        assert_eq!(proof.verify(&key(1).verifier()).unwrap().head.size, 10);
        assert!(matches!(
            proof.verify(&key(2).verifier()),
            Err(ProofError::Checkpoint { .. })
        ));
        for seq in [0, 5, 11, u64::MAX] {
            let moved = InclusionDocument { seq, ..proof.clone() };
            assert_eq!(moved.verify(&key(1).verifier()), Err(ProofError::Inclusion { seq }));
        }
        let long = InclusionDocument {
            path: vec![proof.leaf; MAX_PATH + 1],
            ..proof.clone()
        };
        assert_eq!(long.verify(&key(1).verifier()), Err(ProofError::TooLong));
        let older = InclusionDocument {
            checkpoint: checkpoint(9, 1),
            ..proof
        };
        assert!(matches!(
            older.verify(&key(1).verifier()),
            Err(ProofError::Inclusion { .. })
        ));
    }

    #[test]
    fn a_rewritten_log_is_not_consistent_with_what_was_published() {
        let proof = ConsistencyDocument::of(&log(), 6, 10, checkpoint(10, 1)).unwrap();
        assert_eq!(proof.verify(&key(1).verifier()).unwrap().head.size, 10);
        let mut rewritten: Leaves = log();
        rewritten.push(leaf_hash(&[99]));
        let other = ConsistencyDocument {
            first: Head {
                root: leaf_hash(&[9]),
                ..proof.first
            },
            ..proof
        };
        let error = other.verify(&key(1).verifier()).unwrap_err();
        assert!(error.to_string().contains("it was rewritten"), "{error}");
        assert_eq!(ConsistencyDocument::of(&rewritten, 6, 12, String::new()), None);
    }
}
