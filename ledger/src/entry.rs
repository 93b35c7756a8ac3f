//! One entry, and its canonical bytes.

use holdpoint_schemas::Timestamp;
use holdpoint_schemas::digest::canonical_json;
use serde::Serialize;
use serde_json::Value;

use crate::error::LedgerError;
use crate::head::Hash;
use crate::merkle;

/// Longest canonical JSON of a body: a record of evidence with bounded logs fits many times over,
/// and a runaway producer can't fill the disk with one entry.
pub const MAX_BODY_BYTES: usize = 8 << 20;

/// Largest integer that every JSON reader holds exactly (RFC 7493, 2.2). RFC 8785 writes numbers
/// as doubles, so beyond it two different bodies would have the same leaf.
const MAX_EXACT_INTEGER: u64 = (1 << 53) - 1;

/// One entry of the log.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Entry {
    /// Its place, from 1.
    pub seq: u64,
    /// What it is about: `decision`, `evidence`, `approval` …
    pub kind: String,
    /// When, as the injected clock said.
    pub at: Timestamp,
    /// The record itself.
    pub body: Value,
    /// RFC 6962 leaf hash over the canonical JSON of the four fields above.
    pub leaf: Hash,
}

/// The hashed form of an entry: its canonical JSON is the leaf's preimage.
#[derive(Serialize)]
struct Preimage<'a> {
    at: &'a str,
    body: &'a Value,
    kind: &'a str,
    seq: u64,
}

/// The bytes whose leaf hash stands for an entry; `at` is hashed as it is stored.
pub(crate) fn preimage(seq: u64, kind: &str, at: &str, body: &Value) -> Result<Vec<u8>, serde_json::Error> {
    canonical_json(&Preimage { at, body, kind, seq })
}

/// An entry that was checked and only lacks its place.
pub(crate) struct Draft {
    pub(crate) kind: String,
    pub(crate) at: Timestamp,
    pub(crate) body: Value,
    /// Canonical JSON of the body, as it is stored.
    pub(crate) text: String,
}

impl Draft {
    /// Checks that kind and body can be stored and will read back as the same bytes.
    pub(crate) fn new<T: Serialize>(kind: &str, at: Timestamp, body: &T) -> Result<Self, LedgerError> {
        if !is_kind(kind) {
            return Err(LedgerError::Kind {
                kind: kind.chars().take(100).collect(),
            });
        }
        let refused = |why: String| LedgerError::Body {
            kind: kind.to_owned(),
            why,
        };
        let value = serde_json::to_value(body).map_err(|error| refused(error.to_string()))?;
        if let Some(number) = inexact_integer(&value) {
            return Err(refused(format!(
                "JSON can't hold the integer {number} exactly (write it as a string)"
            )));
        }
        let bytes = canonical_json(&value).map_err(|error| refused(error.to_string()))?;
        if bytes.len() > MAX_BODY_BYTES {
            return Err(LedgerError::TooLarge {
                kind: kind.to_owned(),
                bytes: bytes.len(),
            });
        }
        let text = String::from_utf8(bytes).map_err(|error| refused(error.to_string()))?;
        let body = read_body(&text).map_err(refused)?;
        Ok(Self {
            kind: kind.to_owned(),
            at,
            body,
            text,
        })
    }

    /// The bytes to hash at a place.
    pub(crate) fn preimage(&self, seq: u64) -> Result<Vec<u8>, LedgerError> {
        preimage(seq, &self.kind, &self.at.to_string(), &self.body).map_err(|error| LedgerError::Body {
            kind: self.kind.clone(),
            why: error.to_string(),
        })
    }

    /// The entry as readers get it.
    pub(crate) fn into_entry(self, seq: u64, leaf: Hash) -> Entry {
        Entry {
            seq,
            kind: self.kind,
            at: self.at,
            body: self.body,
            leaf,
        }
    }
}

/// A row as it is stored, not yet believed.
pub(crate) struct Row {
    pub(crate) seq: u64,
    pub(crate) kind: String,
    pub(crate) at: String,
    pub(crate) body: String,
    pub(crate) leaf: String,
}

impl Row {
    /// The entry, and the bytes that its leaf hash was computed from; or what is wrong with it.
    pub(crate) fn check(self) -> Result<(Entry, Vec<u8>), String> {
        let (entry, bytes) = self.recompute()?;
        if entry.leaf.to_string() != self.leaf {
            return Err(format!("entry {} does not match its leaf hash", self.seq));
        }
        Ok((entry, bytes))
    }

    /// As [`Row::check`], with the leaf hash that the content has instead of the stored one.
    pub(crate) fn recompute(&self) -> Result<(Entry, Vec<u8>), String> {
        let body = read_body(&self.body).map_err(|why| format!("the body of entry {} is altered: {why}", self.seq))?;
        let at: Timestamp = (self.at.parse()).map_err(|_| format!("the time of entry {} is no timestamp", self.seq))?;
        let bytes = preimage(self.seq, &self.kind, &self.at, &body)
            .map_err(|error| format!("entry {} can't be hashed: {error}", self.seq))?;
        let entry = Entry {
            seq: self.seq,
            kind: self.kind.clone(),
            at,
            body,
            leaf: merkle::leaf_hash(bytes.clone()),
        };
        Ok((entry, bytes))
    }
}

/// Reads a stored body, which must be exactly the canonical JSON of what it says: otherwise text
/// could change (a duplicate key, say) and the hash not.
fn read_body(text: &str) -> Result<Value, String> {
    let value: Value = serde_json::from_str(text).map_err(|error| format!("it is not JSON: {error}"))?;
    let canonical = canonical_json(&value).map_err(|error| error.to_string())?;
    if canonical != text.as_bytes() {
        return Err("it is not canonical JSON".to_owned());
    }
    Ok(value)
}

fn is_kind(kind: &str) -> bool {
    (1..=64).contains(&kind.len())
        && kind
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_.".contains(&b))
}

/// The first integer in a value that doesn't survive RFC 8785.
fn inexact_integer(value: &Value) -> Option<String> {
    match value {
        Value::Number(number) => {
            let magnitude = (number.as_u64()).or_else(|| number.as_i64().map(i64::unsigned_abs));
            (magnitude.is_some_and(|m| m > MAX_EXACT_INTEGER)).then(|| number.to_string())
        }
        Value::Array(items) => items.iter().find_map(inexact_integer),
        Value::Object(fields) => fields.values().find_map(inexact_integer),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn draft(kind: &str, body: &Value) -> Result<Draft, LedgerError> {
        Draft::new(kind, Timestamp::UNIX_EPOCH, body)
    }

    #[test]
    fn the_preimage_is_canonical_json_of_all_four_fields() {
        let draft = draft("decision", &json!({"b": 1.0, "a": "é"})).unwrap();
        assert_eq!(
            String::from_utf8(draft.preimage(3).unwrap()).unwrap(),
            r#"{"at":"1970-01-01T00:00:00Z","body":{"a":"é","b":1},"kind":"decision","seq":3}"#
        );
    }

    #[test]
    fn a_kind_is_a_short_plain_word() {
        for bad in ["", "Decision", "a b", "a'--", &"a".repeat(65)] {
            assert!(matches!(draft(bad, &json!(1)), Err(LedgerError::Kind { .. })), "{bad}");
        }
        assert!(draft("run.started", &json!(1)).is_ok());
    }

    #[test]
    fn an_integer_that_json_would_round_is_refused() {
        let error = draft("fact", &json!({"deep": [9_007_199_254_740_993_u64]}))
            .err()
            .unwrap();
        assert!(error.to_string().contains("9007199254740993"), "{error}");
        assert!(draft("fact", &json!(-9_007_199_254_740_991_i64)).is_ok());
    }

    #[test]
    fn a_body_that_is_too_deep_to_read_back_is_refused() {
        let deep = (0..200).fold(json!(1), |inner, _| json!([inner]));
        assert!(matches!(draft("fact", &deep), Err(LedgerError::Body { .. })));
    }

    #[test]
    fn a_body_over_the_limit_is_refused() {
        let large = json!("x".repeat(MAX_BODY_BYTES));
        assert!(
            matches!(draft("log", &large), Err(LedgerError::TooLarge { bytes, .. }) if bytes == MAX_BODY_BYTES + 2)
        );
    }

    #[test]
    fn a_duplicate_key_in_a_stored_body_is_not_canonical() {
        assert!(read_body(r#"{"a":1,"a":1}"#).unwrap_err().contains("canonical"));
        assert!(read_body(r#"{"a": 1}"#).unwrap_err().contains("canonical"));
        assert!(read_body("{").unwrap_err().contains("not JSON"));
    }
}
