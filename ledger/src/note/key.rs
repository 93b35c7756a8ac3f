//! Keys of notes, in the text forms of C2SP `signed-note` and of Go's `golang.org/x/mod/sumdb/note`.

use base64ct::{Base64, Encoding as _};
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest as _, Sha256};
use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// Signature type of Ed25519 (C2SP `signed-note`, "Signature types").
const ED25519: u8 = 0x01;

/// What a private key's text begins with.
const PRIVATE: &str = "PRIVATE+KEY+";

/// Longest name of a key: a host, a path and a word fit.
const MAX_NAME_BYTES: usize = 256;

/// Why a text is no key.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum KeyError {
    /// It has another form.
    #[error("it is not a key of the form `{form}`")]
    Malformed {
        /// The form that was expected.
        form: &'static str,
    },
    /// The name can't be one.
    #[error("`{name}` can't be a key's name: expected 1 to {MAX_NAME_BYTES} bytes without blanks and `+`")]
    Name {
        /// What was given.
        name: String,
    },
    /// The id in it is another than that of its name and key.
    #[error("the key's id `{found}` is not that of its name and key, `{expected}`: it was mistyped or changed")]
    Id {
        /// As it is written.
        found: String,
        /// As it must be.
        expected: String,
    },
    /// It is a key of another algorithm than Ed25519.
    #[error("it is not an Ed25519 key")]
    Algorithm,
}

/// A public key with the name that it signs under. Its text is `name+id+base64`, a "vkey".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    key: VerifyingKey,
}

impl VerifierKey {
    /// The name that it signs under.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The key's id: the first four bytes of SHA-256 over name, line break, algorithm and key.
    #[must_use]
    pub fn id(&self) -> u32 {
        let digest = Sha256::new()
            .chain_update(self.name.as_bytes())
            .chain_update(b"\n")
            .chain_update([ED25519])
            .chain_update(self.key.as_bytes())
            .finalize();
        digest.first_chunk().map_or(0, |bytes| u32::from_be_bytes(*bytes))
    }

    /// `name+id`: enough for people to tell keys apart, not enough to trust one.
    #[must_use]
    pub fn label(&self) -> String {
        format!("{}+{:08x}", self.name, self.id())
    }

    /// Whether it made a signature of a message. Strict (RFC 8032 with no small-order keys), so that what verifies here
    /// verifies everywhere.
    #[must_use]
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        Signature::from_slice(signature).is_ok_and(|signature| self.key.verify_strict(message, &signature).is_ok())
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}+{}", self.label(), encode(self.key.as_bytes()))
    }
}

impl FromStr for VerifierKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let malformed = || KeyError::Malformed { form: "name+id+base64" };
        // The base64 may hold `+` too.
        let mut parts = text.trim().splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(malformed());
        };
        check_name(name)?;
        let key = VerifyingKey::from_bytes(&decode(key, malformed)?).map_err(|_| malformed())?;
        let key = Self {
            name: name.to_owned(),
            key,
        };
        key.check_id(id)?;
        Ok(key)
    }
}

impl VerifierKey {
    fn check_id(&self, found: &str) -> Result<(), KeyError> {
        let expected = format!("{:08x}", self.id());
        if found == expected {
            return Ok(());
        }
        Err(KeyError::Id {
            found: found.chars().filter(|c| !c.is_control()).take(20).collect(),
            expected,
        })
    }
}

/// A private key with the name that it signs under. Its text is `PRIVATE+KEY+name+id+base64`.
///
/// It has no `Display` and its `Debug` holds no key, so that it doesn't get into a log by accident.
pub struct SignerKey {
    name: String,
    key: SigningKey,
}

impl SignerKey {
    /// The key of a seed: 32 bytes of a cryptographic random source.
    ///
    /// # Errors
    /// When the name can't be one.
    pub fn from_seed(name: &str, seed: &[u8; 32]) -> Result<Self, KeyError> {
        check_name(name)?;
        Ok(Self {
            name: name.to_owned(),
            key: SigningKey::from_bytes(seed),
        })
    }

    /// Its public half.
    #[must_use]
    pub fn verifier(&self) -> VerifierKey {
        VerifierKey {
            name: self.name.clone(),
            key: self.key.verifying_key(),
        }
    }

    /// Signs a message. The same message has the same signature (RFC 8032).
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.key.sign(message).to_bytes()
    }

    /// The text that a key file holds. Whoever has it can sign.
    #[must_use]
    pub fn secret_text(&self) -> String {
        format!("{PRIVATE}{}+{}", self.verifier().label(), encode(self.key.as_bytes()))
    }
}

impl fmt::Debug for SignerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SignerKey").field(&self.verifier().label()).finish()
    }
}

impl FromStr for SignerKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let malformed = || KeyError::Malformed {
            form: "PRIVATE+KEY+name+id+base64",
        };
        let rest = text.trim().strip_prefix(PRIVATE).ok_or_else(malformed)?;
        let mut parts = rest.splitn(3, '+');
        let (Some(name), Some(id), Some(seed)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(malformed());
        };
        let key = Self::from_seed(name, &decode(seed, malformed)?)?;
        key.verifier().check_id(id)?;
        Ok(key)
    }
}

/// Whether a key may have this name.
pub(super) fn is_name(name: &str) -> bool {
    (1..=MAX_NAME_BYTES).contains(&name.len()) && !name.chars().any(|c| c.is_whitespace() || c.is_control() || c == '+')
}

fn check_name(name: &str) -> Result<(), KeyError> {
    if is_name(name) {
        return Ok(());
    }
    Err(KeyError::Name {
        name: name.chars().filter(|c| !c.is_control()).take(100).collect(),
    })
}

fn encode(key: &[u8; 32]) -> String {
    Base64::encode_string(&[[ED25519].as_slice(), key].concat())
}

fn decode(text: &str, malformed: impl Fn() -> KeyError) -> Result<[u8; 32], KeyError> {
    let bytes = Base64::decode_vec(text).map_err(|_| malformed())?;
    let (algorithm, key) = bytes.split_first().ok_or_else(&malformed)?;
    if *algorithm != ED25519 {
        return Err(KeyError::Algorithm);
    }
    key.try_into().map_err(|_| malformed())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The key in the documentation of Go's `golang.org/x/mod/sumdb/note`.
    const NEUMANN: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";

    #[test]
    fn the_key_of_gos_example_has_the_id_that_is_written_in_it() {
        let key: VerifierKey = NEUMANN.parse().unwrap();
        assert_eq!((key.name(), key.id()), ("PeterNeumann", 0xc74f_20a3));
        assert_eq!(key.to_string(), NEUMANN);
    }

    #[test]
    fn a_changed_key_is_told_by_its_id() {
        for bad in [
            NEUMANN.replace("Neumann", "Newman"),
            NEUMANN.replace("c74f20a3", "c74f20a4"),
        ] {
            assert!(matches!(bad.parse::<VerifierKey>(), Err(KeyError::Id { .. })), "{bad}");
        }
    }

    #[test]
    fn a_point_that_is_not_on_the_curve_is_no_key() {
        assert!(NEUMANN.replace("10TW", "10TX").parse::<VerifierKey>().is_err());
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for bad in [
            "",
            "a",
            "a+b",
            "a+00000000+",
            "a+00000000+!!!!",
            "a+00000000+AQ==",
            "a b+00000000+AQ==",
        ] {
            assert!(bad.parse::<VerifierKey>().is_err(), "{bad}");
            assert!(format!("{PRIVATE}{bad}").parse::<SignerKey>().is_err(), "{bad}");
        }
        let other = format!("a+00000000+{}", Base64::encode_string(&[2; 33]));
        assert_eq!(other.parse::<VerifierKey>(), Err(KeyError::Algorithm));
        assert!(matches!(
            SignerKey::from_seed("a+b", &[0; 32]),
            Err(KeyError::Name { .. })
        ));
    }

    #[test]
    fn a_private_key_is_not_shown_by_debug() {
        let key = SignerKey::from_seed("holdpoint/test", &[7; 32]).unwrap();
        let shown = format!("{key:?}");
        assert!(shown.contains("holdpoint/test+"), "{shown}");
        assert!(
            !shown.contains(key.secret_text().rsplit('+').next().unwrap()),
            "{shown}"
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn keys_read_back_and_sign_for_each_other(seed: [u8; 32], name in "[a-z./]{1,40}", message: Vec<u8>) {
            let signer = SignerKey::from_seed(&name, &seed).unwrap();
            let again: SignerKey = signer.secret_text().parse().unwrap();
            let verifier: VerifierKey = signer.verifier().to_string().parse().unwrap();
            prop_assert!(verifier.verify(&message, &again.sign(&message)));
            let mut other = message.clone();
            other.push(0);
            prop_assert!(!verifier.verify(&other, &again.sign(&message)));
        }
    }
}
