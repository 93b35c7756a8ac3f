//! Signed notes (C2SP `signed-note`, <https://c2sp.org/signed-note>) and checkpoints of a log in that form (C2SP
//! `tlog-checkpoint`, <https://c2sp.org/tlog-checkpoint>), with Ed25519 signatures.
//!
//! A note is a text that ends in a line break, an empty line, and one line for each signature:
//!
//! ```text
//! holdpoint/example
//! 42
//! Hr/9qxdZc8U4s2qPq1VfCxOT5b6m7R2mC3H0yX1Z8lA=
//!
//! — holdpoint/example 7Kx0VQ…
//! ```
//!
//! Whoever reads one needs the signer's public key, as a [`VerifierKey`]: a note can't vouch for its own key.

mod checkpoint;
mod key;

pub use checkpoint::{Checkpoint, CheckpointError};
pub use key::{KeyError, SignerKey, VerifierKey};

use base64ct::{Base64, Encoding as _};
use thiserror::Error;

/// Longest note that is read. Go's `note.Open` has the same bound.
const MAX_NOTE_BYTES: usize = 1_000_000;

/// Most signatures that a note is read with. Go's `note.Open` has the same bound.
const MAX_SIGNATURES: usize = 100;

/// What begins a line that holds a signature: an em dash (U+2014) and a blank.
const SIGNATURE_PREFIX: &str = "\u{2014} ";

/// Why a note can't be read, or isn't signed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NoteError {
    /// It isn't a note.
    #[error("it is not a signed note: {why}")]
    Malformed {
        /// What is wrong with it.
        why: &'static str,
    },
    /// The key that was asked for hasn't signed it.
    #[error("the key `{key}` has not signed it{}", others(.signers))]
    Unsigned {
        /// The key's name and id.
        key: String,
        /// Names and ids of those that say they have.
        signers: Vec<String>,
    },
    /// A signature under the key's name and id is none of that key.
    #[error(
        "the signature under the name of the key `{key}` is not made with it: the text, the signature or the key was changed"
    )]
    Forged {
        /// The key's name and id.
        key: String,
    },
}

fn others(signers: &[String]) -> String {
    if signers.is_empty() {
        return String::new();
    }
    format!("; it is signed as `{}`", signers.join("`, `"))
}

/// A text with its signatures, none of them believed yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<NoteSignature>,
}

/// One line of signature.
#[derive(Debug, Clone, PartialEq, Eq)]
struct NoteSignature {
    name: String,
    id: u32,
    signature: Vec<u8>,
}

impl Note {
    /// Signs a text.
    ///
    /// # Errors
    /// When the text doesn't end in a line break or holds other control characters.
    pub fn sign(text: &str, key: &SignerKey) -> Result<Self, NoteError> {
        check_text(text)?;
        let verifier = key.verifier();
        Ok(Self {
            signatures: vec![NoteSignature {
                name: verifier.name().to_owned(),
                id: verifier.id(),
                signature: key.sign(text.as_bytes()).to_vec(),
            }],
            text: text.to_owned(),
        })
    }

    /// Reads a note; it believes nothing of it.
    ///
    /// # Errors
    /// When it doesn't have the form of one.
    pub fn parse(note: &str) -> Result<Self, NoteError> {
        if note.len() > MAX_NOTE_BYTES {
            return Err(malformed("it is longer than 1,000,000 bytes"));
        }
        // The last empty line ends the text: a text may hold empty lines.
        let end = note.rfind("\n\n").ok_or(malformed("no empty line ends its text"))?;
        let (text, lines) = note
            .split_at_checked(end + 1)
            .ok_or(malformed("no empty line ends its text"))?;
        check_text(text)?;
        let lines = lines.strip_prefix('\n').unwrap_or(lines);
        let Some(lines) = lines.strip_suffix('\n') else {
            return Err(malformed("its last line isn't ended"));
        };
        let signatures: Vec<NoteSignature> = lines.split('\n').map(signature_line).collect::<Result<_, _>>()?;
        if signatures.len() > MAX_SIGNATURES {
            return Err(malformed("it has more than 100 signatures"));
        }
        Ok(Self {
            text: text.to_owned(),
            signatures,
        })
    }

    /// The text that a key signed.
    ///
    /// # Errors
    /// When the key hasn't signed it. Signatures of other keys count for nothing, and harm nothing.
    pub fn verified(&self, key: &VerifierKey) -> Result<&str, NoteError> {
        let mut of_key = self
            .signatures
            .iter()
            .filter(|line| line.name == key.name() && line.id == key.id())
            .peekable();
        if of_key.peek().is_none() {
            return Err(NoteError::Unsigned {
                key: key.label(),
                signers: self.signers(),
            });
        }
        // Two keys may share name and id by chance: one good signature is enough.
        if of_key.any(|line| key.verify(self.text.as_bytes(), &line.signature)) {
            Ok(&self.text)
        } else {
            Err(NoteError::Forged { key: key.label() })
        }
    }

    /// The text, which nobody vouches for.
    #[must_use]
    pub fn unverified(&self) -> &str {
        &self.text
    }

    /// Names and ids of those that say they have signed it.
    #[must_use]
    pub fn signers(&self) -> Vec<String> {
        self.signatures
            .iter()
            .map(|line| format!("{}+{:08x}", line.name, line.id))
            .collect()
    }
}

impl std::fmt::Display for Note {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{}", self.text)?;
        for line in &self.signatures {
            let bytes = [&line.id.to_be_bytes(), line.signature.as_slice()].concat();
            writeln!(f, "{SIGNATURE_PREFIX}{} {}", line.name, Base64::encode_string(&bytes))?;
        }
        Ok(())
    }
}

const fn malformed(why: &'static str) -> NoteError {
    NoteError::Malformed { why }
}

fn check_text(text: &str) -> Result<(), NoteError> {
    if !text.ends_with('\n') {
        return Err(malformed("its text doesn't end in a line break"));
    }
    if text.bytes().any(|byte| byte < b' ' && byte != b'\n') {
        return Err(malformed("its text holds a control character"));
    }
    Ok(())
}

fn signature_line(line: &str) -> Result<NoteSignature, NoteError> {
    let bad = malformed("a line of signature has another form than `— name base64`");
    let (name, signature) = line
        .strip_prefix(SIGNATURE_PREFIX)
        .and_then(|rest| rest.split_once(' '))
        .ok_or_else(|| bad.clone())?;
    if !key::is_name(name) {
        return Err(bad);
    }
    let bytes = Base64::decode_vec(signature).map_err(|_| bad.clone())?;
    let (id, signature) = bytes.split_first_chunk::<4>().ok_or_else(|| bad.clone())?;
    if signature.is_empty() {
        return Err(bad);
    }
    Ok(NoteSignature {
        name: name.to_owned(),
        id: u32::from_be_bytes(*id),
        signature: signature.to_vec(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The key and the signed note in the documentation of Go's `golang.org/x/mod/sumdb/note`.
    const NEUMANN: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    const NEUMANN_NOTE: &str = "If you think cryptography is the answer to your problem,\n\
        then you don't know what your problem is.\n\
        \n\
        — PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

    fn key(seed: u8) -> SignerKey {
        SignerKey::from_seed("holdpoint/test", &[seed; 32]).unwrap()
    }

    #[test]
    fn the_example_of_go_verifies_and_prints_as_it_was() {
        let note = Note::parse(NEUMANN_NOTE).unwrap();
        let text = note.verified(&NEUMANN.parse().unwrap()).unwrap();
        assert!(text.starts_with("If you think") && text.ends_with("is.\n"));
        assert_eq!(note.to_string(), NEUMANN_NOTE);
    }

    #[test]
    fn a_signed_note_verifies_with_its_key_alone() {
        let note = Note::sign("a\n\nb\n", &key(1)).unwrap();
        let read = Note::parse(&note.to_string()).unwrap();
        assert_eq!(read, note);
        assert_eq!(read.verified(&key(1).verifier()), Ok("a\n\nb\n"));
        let error = read.verified(&key(2).verifier()).unwrap_err();
        assert!(
            matches!(&error, NoteError::Unsigned { signers, .. } if signers.len() == 1),
            "{error}"
        );
        assert!(
            error.to_string().contains("it is signed as `holdpoint/test+"),
            "{error}"
        );
    }

    #[test]
    fn a_changed_text_or_a_borrowed_name_is_a_forgery() {
        let note = Note::sign("a\n", &key(1)).unwrap().to_string();
        let changed = Note::parse(&note.replacen('a', "b", 1)).unwrap();
        assert!(matches!(
            changed.verified(&key(1).verifier()),
            Err(NoteError::Forged { .. })
        ));
        // Another key's signature under this key's name and id.
        let verifier = key(1).verifier();
        let mut other = Note::sign("a\n", &key(2)).unwrap();
        other.signatures[0].id = verifier.id();
        assert!(matches!(other.verified(&verifier), Err(NoteError::Forged { .. })));
    }

    #[test]
    fn signatures_of_strangers_count_for_nothing_and_harm_nothing() {
        let mut note = Note::sign("a\n", &key(1)).unwrap();
        note.signatures
            .insert(0, Note::sign("a\n", &key(2)).unwrap().signatures.remove(0));
        let read = Note::parse(&note.to_string()).unwrap();
        assert!(read.verified(&key(1).verifier()).is_ok());
        assert_eq!(read.signers().len(), 2);
    }

    #[test]
    fn what_is_no_note_is_refused() {
        let good = Note::sign("a\n", &key(1)).unwrap().to_string();
        for bad in [
            String::new(),
            "a\n".to_owned(),
            "a\n\n".to_owned(),
            good.trim_end().to_owned(),
            good.replace("— ", "- "),
            good.replace("holdpoint/test ", "hold point/test "),
            good.replace("holdpoint/test ", "holdpoint+test "),
            good.replace('\u{61}', "\t"),
            format!("{good}\n"),
            "a\n\n— x AAAAAA==\n".to_owned(),
            "a\n\n— x AAAA\n".to_owned(),
            "a".repeat(MAX_NOTE_BYTES + 1),
            format!("a\n\n{}", "— x AAAAAAA=\n".repeat(MAX_SIGNATURES + 1)),
        ] {
            let error = Note::parse(&bad).unwrap_err();
            assert!(
                error.to_string().starts_with("it is not a signed note"),
                "{bad:.60}: {error}"
            );
        }
        assert!(Note::sign("a", &key(1)).is_err());
        assert!(Note::sign("a\tb\n", &key(1)).is_err());
    }
}
