//! DSSE envelopes: a payload with signatures over its type and its very bytes
//! (<https://github.com/secure-systems-lab/dsse>, protocol and envelope v1.0).

use base64ct::{Base64, Encoding as _};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::note::{SignerKey, VerifierKey};

/// Type of an in-toto statement in an envelope (in-toto Attestation Framework v1, "Envelope").
pub const IN_TOTO: &str = "application/vnd.in-toto+json";

/// Most signatures that are looked at.
const MAX_SIGNATURES: usize = 16;

/// Why an envelope isn't believed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EnvelopeError {
    /// What it holds is of another type.
    #[error("the payload is of the type `{found}`, not `{IN_TOTO}`")]
    PayloadType {
        /// The type.
        found: String,
    },
    /// Payload or signatures can't be read.
    #[error("the envelope can't be read: {why}")]
    Malformed {
        /// Why.
        why: &'static str,
    },
    /// No signature is of the key.
    #[error(
        "no signature of the envelope is made with the key `{key}`: the statement, the signature or the key was changed"
    )]
    Forged {
        /// The key's name and id.
        key: String,
    },
}

/// A payload with its signatures, none of them believed yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Envelope {
    /// The bytes, in base64.
    pub payload: String,
    /// What they are.
    pub payload_type: String,
    /// Signatures.
    pub signatures: Vec<EnvelopeSignature>,
}

/// One signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnvelopeSignature {
    /// A hint which key it may be: `name+id`. Nobody vouches for it.
    #[serde(default)]
    pub keyid: String,
    /// The signature, in base64.
    pub sig: String,
}

impl Envelope {
    /// Signs an in-toto statement. The same bytes and key give the same envelope.
    #[must_use]
    pub fn sign(statement: &[u8], key: &SignerKey) -> Self {
        let signature = key.sign(&pae(IN_TOTO, statement));
        Self {
            payload: Base64::encode_string(statement),
            payload_type: IN_TOTO.to_owned(),
            signatures: vec![EnvelopeSignature {
                keyid: key.verifier().label(),
                sig: Base64::encode_string(&signature),
            }],
        }
    }

    /// The payload, which nobody vouches for.
    ///
    /// # Errors
    /// When it isn't an in-toto statement in base64.
    pub fn unverified(&self) -> Result<Vec<u8>, EnvelopeError> {
        if self.payload_type != IN_TOTO {
            return Err(EnvelopeError::PayloadType {
                found: self.payload_type.chars().take(100).collect(),
            });
        }
        Base64::decode_vec(&self.payload).map_err(|_| EnvelopeError::Malformed {
            why: "the payload is not base64",
        })
    }

    /// The payload that a key signed.
    ///
    /// # Errors
    /// When the key hasn't signed it.
    pub fn verified(&self, key: &VerifierKey) -> Result<Vec<u8>, EnvelopeError> {
        let payload = self.unverified()?;
        if self.signatures.len() > MAX_SIGNATURES {
            return Err(EnvelopeError::Malformed {
                why: "it has more than 16 signatures",
            });
        }
        let message = pae(&self.payload_type, &payload);
        let signed = self
            .signatures
            .iter()
            .filter_map(|signature| Base64::decode_vec(&signature.sig).ok())
            .any(|signature| key.verify(&message, &signature));
        if !signed {
            return Err(EnvelopeError::Forged { key: key.label() });
        }
        Ok(payload)
    }
}

/// DSSE's pre-authentication encoding: what is signed. It begins with `DSSEv1` and the type, so that no signature of
/// an envelope is ever one of a note, whose text begins with the log's name.
fn pae(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let head = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len());
    [head.as_bytes(), payload].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(seed: u8) -> SignerKey {
        SignerKey::from_seed("holdpoint/test", &[seed; 32]).unwrap()
    }

    /// The example of the DSSE protocol's text.
    #[test]
    fn the_encoding_is_the_one_of_the_protocol() {
        assert_eq!(
            pae("http://example.com/HelloWorld", b"hello world"),
            b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
        );
    }

    #[test]
    fn a_payload_is_believed_only_with_its_key_and_type() {
        let envelope = Envelope::sign(b"{}", &key(1));
        assert_eq!(envelope.verified(&key(1).verifier()).unwrap(), b"{}");
        assert_eq!(envelope, Envelope::sign(b"{}", &key(1)));
        assert!(matches!(
            envelope.verified(&key(2).verifier()),
            Err(EnvelopeError::Forged { .. })
        ));
        let changed = Envelope {
            payload: Base64::encode_string(b"[]"),
            ..envelope.clone()
        };
        assert!(matches!(
            changed.verified(&key(1).verifier()),
            Err(EnvelopeError::Forged { .. })
        ));
        let other = Envelope {
            payload_type: "text/plain".to_owned(),
            ..envelope.clone()
        };
        assert!(matches!(
            other.verified(&key(1).verifier()),
            Err(EnvelopeError::PayloadType { .. })
        ));
        for payload in ["e30", "e3 0=", "é"] {
            let bad = Envelope {
                payload: payload.to_owned(),
                ..envelope.clone()
            };
            assert!(
                matches!(bad.unverified(), Err(EnvelopeError::Malformed { .. })),
                "{payload}"
            );
        }
        let many = Envelope {
            signatures: vec![envelope.signatures[0].clone(); MAX_SIGNATURES + 1],
            ..envelope
        };
        assert!(many.verified(&key(1).verifier()).is_err());
    }

    #[test]
    fn a_signature_of_a_note_is_none_of_an_envelope() {
        let statement = b"{}";
        let text = format!("{}\n", String::from_utf8(pae(IN_TOTO, statement)).unwrap());
        let note = crate::note::Note::sign(&text, &key(1)).unwrap().to_string();
        let mut envelope = Envelope::sign(statement, &key(1));
        envelope.signatures[0].sig = note.rsplit(' ').next().unwrap().trim().to_owned();
        assert!(envelope.verified(&key(1).verifier()).is_err());
    }
}
