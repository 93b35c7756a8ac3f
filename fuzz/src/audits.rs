//! What an auditor is handed: bundles, proofs and signed notes.

use holdpoint_ledger::bundle::Bundle;
use holdpoint_ledger::note::{Checkpoint, Note, SignerKey, VerifierKey};
use holdpoint_ledger::proof::{ConsistencyDocument, InclusionDocument};

use crate::oracle::{prints_alike, twice};

/// The key of the seeds: of a seed that everybody can read.
fn key() -> Option<VerifierKey> {
    SignerKey::from_seed("holdpoint/fuzz", &[7; 32])
        .ok()
        .map(|key| key.verifier())
}

/// Any file that `ledger verify` takes.
pub fn bundle(data: &[u8]) {
    let Some(key) = key() else { return };
    if let Ok(bundle) = Bundle::parse(data) {
        for key in [None, Some(&key)] {
            let (checks, _) = twice(|| bundle.check(key));
            assert!(!checks.is_empty(), "nothing was checked");
            for checked in &checks {
                assert!(checked.problems.len() <= 21, "more problems than anyone reads");
            }
        }
        if let Ok(bytes) = bundle.to_bytes() {
            let again = Bundle::parse(&bytes);
            assert!(
                again.is_ok_and(|again| again == bundle),
                "a bundle reads back as another"
            );
        }
    }
    if let Ok(proof) = serde_json::from_slice::<InclusionDocument>(data) {
        let _ = prints_alike(|| proof.verify(&key));
    }
    if let Ok(proof) = serde_json::from_slice::<ConsistencyDocument>(data) {
        let _ = prints_alike(|| proof.verify(&key));
    }
    let text = String::from_utf8_lossy(data);
    if let Ok(note) = Note::parse(&text) {
        assert_eq!(
            Note::parse(&note.to_string()),
            Ok(note.clone()),
            "a note reads back as another"
        );
        let _ = prints_alike(|| note.verified(&key).map(str::to_owned));
    }
    let _ = prints_alike(|| Checkpoint::verified(&text, &key));
    if let Ok(key) = text.parse::<VerifierKey>() {
        assert!(key.to_string().parse::<VerifierKey>().is_ok_and(|again| again == key));
    }
}
