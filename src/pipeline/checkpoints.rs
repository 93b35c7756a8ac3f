//! The ledger's signed heads: one goes out with every run's report, and into the log right behind what it stands for.
//!
//! An entry can't hold the checkpoint of a log that it is part of, so entry *n + 1* holds that of the first *n*. From
//! then on, whoever rewrites an entry must also forge every later checkpoint, for which the file isn't enough.

use anyhow::Result;
use holdpoint_ledger::note::{Checkpoint, SignerKey, VerifierKey};
use holdpoint_ledger::proof::Leaves;
use holdpoint_ledger::{Head, Ledger, Verification};
use serde::{Deserialize, Serialize};

use super::record::CHECKPOINT;
use super::session::Session;
use crate::failure::BadInput;

/// A checkpoint as it was published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckpointRecord {
    /// The signed note.
    pub note: String,
}

/// The signed checkpoint of the log as it is now.
///
/// # Errors
/// When the ledger can't be read.
pub fn sign(ledger: &mut Ledger, key: &SignerKey) -> Result<(Head, String)> {
    let head = ledger.head()?;
    Ok((head, Checkpoint::sign(head, key)?.to_string()))
}

/// The leaf hashes of the log.
///
/// # Errors
/// When the ledger can't be read, or doesn't match its hashes.
pub fn leaves(ledger: &Ledger) -> Result<Leaves> {
    Ok(ledger.leaves()?.into_iter().collect())
}

/// The head of a ledger that verifies: nothing is signed or proved of another.
///
/// # Errors
/// When it was changed, or can't be read.
pub fn intact(ledger: &Ledger, keys: &[VerifierKey]) -> Result<Head> {
    let (head, mut found) = match ledger.verify(None)? {
        Verification::Intact { head, .. } => (Some(head), Vec::new()),
        Verification::Tampered { problems } => (None, problems),
    };
    if found.is_empty() {
        found = problems(ledger, keys)?;
    }
    match head.filter(|_| found.is_empty()) {
        Some(head) => Ok(head),
        None => Err(refused(&found).into()),
    }
}

/// What a ledger that doesn't verify is refused with.
pub fn refused(problems: &[String]) -> BadInput {
    BadInput::new(
        format!("the ledger doesn't verify: {}", problems.join("; ")),
        "look at it with `holdpoint ledger verify`, and restore it from a copy; after a change of the ledger's key, list \
         the earlier one under `ledger.trusted_keys` in `holdpoint.yaml`",
    )
}

/// What is wrong with the checkpoints in the log: each must be signed with a key that is believed, and stand for what
/// the log holds before it.
///
/// # Errors
/// When the ledger can't be read.
pub fn problems(ledger: &Ledger, keys: &[VerifierKey]) -> Result<Vec<String>> {
    let entries = ledger.entries(Some(CHECKPOINT))?;
    if entries.is_empty() {
        return Ok(Vec::new());
    }
    let leaves = leaves(ledger)?;
    let check = |entry: &holdpoint_ledger::Entry| -> Result<(), String> {
        let record: CheckpointRecord =
            serde_json::from_value(entry.body.clone()).map_err(|error| format!("it has another form: {error}"))?;
        let mut refusal = "nobody's key is known".to_owned();
        for key in keys {
            match Checkpoint::verified(&record.note, key) {
                Ok(checkpoint) if checkpoint.head.size >= entry.seq => {
                    return Err("it stands for entries that come after it".to_owned());
                }
                Ok(checkpoint) if leaves.head(checkpoint.head.size) == Some(checkpoint.head) => return Ok(()),
                Ok(checkpoint) => {
                    return Err(format!(
                        "the first {} entries are not those that it was signed for",
                        checkpoint.head.size
                    ));
                }
                Err(error) => refusal = error.to_string(),
            }
        }
        Err(refusal)
    };
    Ok(entries
        .iter()
        .filter_map(|entry| {
            check(entry)
                .err()
                .map(|why| format!("the checkpoint in entry {}: {why}", entry.seq))
        })
        .collect())
}

impl Session {
    /// Signs the log as it is, and puts the checkpoint behind it.
    ///
    /// # Errors
    /// When the ledger can't be read or written.
    pub fn checkpoint(&mut self) -> Result<(Head, String)> {
        let (head, note) = sign(&mut self.ledger, &self.ledger_key)?;
        self.ledger
            .append(CHECKPOINT, self.at, &CheckpointRecord { note: note.clone() })?;
        Ok((head, note))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use holdpoint_schemas::Timestamp;

    fn key(seed: u8) -> SignerKey {
        SignerKey::from_seed("holdpoint/test", &[seed; 32]).unwrap()
    }

    /// A ledger of some entries with a checkpoint, made by `change` from the good one.
    fn ledger(change: impl FnOnce(String) -> String) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        let mut ledger = Ledger::open(&folder.path().join("ledger.sqlite")).unwrap();
        let at = Timestamp::UNIX_EPOCH;
        for n in 0..5 {
            ledger.append("run", at, &n).unwrap();
        }
        let (_, note) = sign(&mut ledger, &key(1)).unwrap();
        ledger
            .append(CHECKPOINT, at, &CheckpointRecord { note: change(note) })
            .unwrap();
        problems(&ledger, &[key(9).verifier(), key(1).verifier()]).unwrap()
    }

    #[test]
    fn a_checkpoint_that_was_forged_is_found() {
        assert_eq!(ledger(|note| note), Vec::<String>::new());
        let other_key = |note: String| {
            let head = Checkpoint::verified(&note, &key(1).verifier()).unwrap().head;
            Checkpoint::sign(head, &key(2)).unwrap().to_string()
        };
        let other_root = |note: String| {
            let mut head = Checkpoint::verified(&note, &key(1).verifier()).unwrap().head;
            head.root = "0".repeat(64).parse().unwrap();
            Checkpoint::sign(head, &key(1)).unwrap().to_string()
        };
        let later = |note: String| {
            let mut head = Checkpoint::verified(&note, &key(1).verifier()).unwrap().head;
            head.size = 6;
            Checkpoint::sign(head, &key(1)).unwrap().to_string()
        };
        type Change = Box<dyn FnOnce(String) -> String>;
        let cases: [(Change, &str); 5] = [
            (Box::new(other_key), "has not signed it"),
            (Box::new(other_root), "are not those that it was signed for"),
            (Box::new(later), "come after it"),
            (
                Box::new(|note: String| note.replacen("\n5\n", "\n4\n", 1)),
                "is not made with it",
            ),
            (Box::new(|_| String::new()), "not a signed note"),
        ];
        for (change, why) in cases {
            let found = ledger(change);
            assert!(found.len() == 1 && found[0].contains(why), "{why}: {found:?}");
        }
    }
}
