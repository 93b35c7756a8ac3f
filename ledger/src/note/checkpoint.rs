//! A checkpoint: what a log says it is, signed.

use base64ct::{Base64, Encoding as _};
use thiserror::Error;

use super::{Note, NoteError, SignerKey, VerifierKey};
use crate::head::{Hash, Head};

/// Why a checkpoint can't be believed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CheckpointError {
    /// It isn't a signed note, or not signed by the key.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// Its text has another form.
    #[error("it is not a checkpoint: {why}")]
    Malformed {
        /// What is wrong with it.
        why: &'static str,
    },
    /// It is one of another log.
    #[error("it is a checkpoint of the log `{found}`, not of `{expected}`")]
    Origin {
        /// The origin in it.
        found: String,
        /// The one that was expected.
        expected: String,
    },
}

/// A log's name, how many entries it has, and the root over them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log: the name of its key.
    pub origin: String,
    /// The state that it stands for.
    pub head: Head,
}

impl Checkpoint {
    /// The checkpoint of a head under a key, signed with it. The same head and key give the same text.
    ///
    /// # Errors
    /// Never for a key that was read: its name fits on a line.
    pub fn sign(head: Head, key: &SignerKey) -> Result<Note, NoteError> {
        let checkpoint = Self {
            origin: key.verifier().name().to_owned(),
            head,
        };
        Note::sign(&checkpoint.to_string(), key)
    }

    /// Reads a signed checkpoint and believes it: its key signed it, under its own name.
    ///
    /// # Errors
    /// When the key hasn't signed it, or it is another log's.
    pub fn verified(note: &str, key: &VerifierKey) -> Result<Self, CheckpointError> {
        let note = Note::parse(note)?;
        let checkpoint = Self::parse(note.verified(key)?)?;
        if checkpoint.origin != key.name() {
            return Err(CheckpointError::Origin {
                found: checkpoint.origin,
                expected: key.name().to_owned(),
            });
        }
        Ok(checkpoint)
    }

    /// Reads a checkpoint's text. Lines behind the third are extensions, which nobody here reads.
    ///
    /// # Errors
    /// When it has another form.
    pub fn parse(text: &str) -> Result<Self, CheckpointError> {
        let malformed = |why| CheckpointError::Malformed { why };
        let mut lines = text.split('\n');
        let (Some(origin), Some(size), Some(root)) = (lines.next(), lines.next(), lines.next()) else {
            return Err(malformed("expected three lines"));
        };
        if origin.is_empty() {
            return Err(malformed("its first line, the log's name, is empty"));
        }
        let number: u64 = size
            .parse()
            .map_err(|_| malformed("its second line is no number of entries"))?;
        if number.to_string() != size {
            return Err(malformed("its number of entries isn't plain decimal"));
        }
        let root = Base64::decode_vec(root)
            .ok()
            .and_then(|bytes| <[u8; 32]>::try_from(bytes).ok())
            .ok_or(malformed("its third line is no SHA-256 hash in base64"))?;
        Ok(Self {
            origin: origin.to_owned(),
            head: Head {
                size: number,
                root: Hash(root),
            },
        })
    }
}

impl std::fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{}", self.origin)?;
        writeln!(f, "{}", self.head.size)?;
        writeln!(f, "{}", Base64::encode_string(&self.head.root.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str) -> SignerKey {
        SignerKey::from_seed(name, &[3; 32]).unwrap()
    }

    fn head() -> Head {
        Head {
            size: 17,
            root: Hash([0xa5; 32]),
        }
    }

    #[test]
    fn a_checkpoint_reads_back_and_is_always_the_same_text() {
        let note = Checkpoint::sign(head(), &key("holdpoint/a")).unwrap().to_string();
        assert!(note.starts_with("holdpoint/a\n17\npaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaU=\n\n— holdpoint/a "));
        assert_eq!(note, Checkpoint::sign(head(), &key("holdpoint/a")).unwrap().to_string());
        let read = Checkpoint::verified(&note, &key("holdpoint/a").verifier()).unwrap();
        assert_eq!((read.origin.as_str(), read.head), ("holdpoint/a", head()));
    }

    #[test]
    fn a_checkpoint_of_another_log_or_number_or_root_is_not_believed() {
        let (a, b) = (key("a"), key("b"));
        let of_b = Checkpoint {
            origin: "b".to_owned(),
            head: head(),
        };
        let note = Note::sign(&of_b.to_string(), &a).unwrap().to_string();
        assert!(matches!(
            Checkpoint::verified(&note, &a.verifier()),
            Err(CheckpointError::Origin { .. })
        ));
        assert!(Checkpoint::verified(&note, &b.verifier()).is_err());
        let good = Checkpoint::sign(head(), &a).unwrap().to_string();
        for changed in [good.replacen("17", "18", 1), good.replacen("paWl", "paWm", 1)] {
            let error = Checkpoint::verified(&changed, &a.verifier()).unwrap_err();
            assert!(
                matches!(error, CheckpointError::Note(NoteError::Forged { .. })),
                "{error}"
            );
        }
    }

    #[test]
    fn what_is_no_checkpoint_is_refused_and_extensions_are_passed_over() {
        let good = Checkpoint {
            origin: "a".to_owned(),
            head: head(),
        }
        .to_string();
        assert!(Checkpoint::parse(&format!("{good}extension\n")).is_ok());
        for bad in [
            String::new(),
            "a\n".to_owned(),
            good.replacen('a', "", 1),
            good.replace("17", "017"),
            good.replace("17", "-1"),
            good.replace("paU=", "paU"),
            good.replace("paWl", ""),
        ] {
            assert!(Checkpoint::parse(&bad).is_err(), "{bad}");
        }
    }
}
