//! One entry, and the bytes that its leaf commits to.

use holdpoint_schemas::Timestamp;
use holdpoint_schemas::digest::canonical_json;
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::error::LedgerError;
use crate::head::Hash;
use crate::merkle;

/// Longest canonical JSON of a body: a record of evidence with bounded logs fits many times over,
/// and a runaway producer can't fill the disk with one entry.
pub const MAX_BODY_BYTES: usize = 8 << 20;

/// Largest integer that every JSON reader holds exactly (RFC 7493, 2.2). RFC 8785 writes numbers
/// as doubles, so beyond it two different bodies would have the same leaf.
const MAX_EXACT_INTEGER: u64 = (1 << 53) - 1;

/// How a leaf commits to the body of its entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(into = "u8")]
pub enum Form {
    /// Form 1: the body itself is part of the leaf's preimage, so it can never be pruned.
    Whole,
    /// Form 2: the SHA-256 of the body's canonical JSON is.
    Digest,
}

impl From<Form> for u8 {
    fn from(form: Form) -> Self {
        match form {
            Form::Whole => 1,
            Form::Digest => 2,
        }
    }
}

impl Form {
    /// The form that a store has as a number.
    pub(crate) fn of_stored(number: i64) -> Option<Self> {
        match number {
            1 => Some(Self::Whole),
            2 => Some(Self::Digest),
            _ => None,
        }
    }
}

/// One entry of the log.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Entry {
    /// Its place, from 1. This is the order of things: times may go back when a clock jumps.
    pub seq: u64,
    /// What it is about: `decision`, `evidence`, `approval` …
    pub kind: String,
    /// When, as the injected clock said.
    pub at: Timestamp,
    /// The record itself.
    pub body: Value,
    /// RFC 6962 leaf hash over [`Entry::preimage`].
    pub leaf: Hash,
    /// How that commits to the body.
    pub form: Form,
}

/// What an entry keeps when its body is pruned: its place, and what shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Stub {
    /// Its place, from 1.
    pub seq: u64,
    /// What it is about.
    pub kind: String,
    /// When, as the injected clock said.
    pub at: Timestamp,
    /// RFC 6962 leaf hash over its preimage.
    pub leaf: Hash,
    /// Whether its body was pruned.
    pub pruned: bool,
}

impl Entry {
    /// The bytes that the leaf hash is of: the canonical JSON (RFC 8785) of `{at, body, kind, seq}`, where `body` is
    /// the SHA-256 of the body's own canonical JSON in hexadecimal (form 1: the body itself).
    ///
    /// # Errors
    /// Never for an entry that was read from a ledger: it had a canonical form when it was written.
    pub fn preimage(&self) -> Result<Vec<u8>, serde_json::Error> {
        let at = self.at.to_string();
        match self.form {
            Form::Whole => whole_preimage(self.seq, &self.kind, &at, &self.body),
            Form::Digest => Ok(digest_preimage(
                self.seq,
                &self.kind,
                &at,
                &digest_of(&canonical_json(&self.body)?),
            )),
        }
    }
}

/// SHA-256 of a body's canonical JSON.
pub(crate) fn digest_of(canonical: &[u8]) -> Hash {
    Hash(Sha256::digest(canonical).into())
}

/// The preimage of form 1.
fn whole_preimage(seq: u64, kind: &str, at: &str, body: &Value) -> Result<Vec<u8>, serde_json::Error> {
    #[derive(Serialize)]
    struct Preimage<'a> {
        at: &'a str,
        body: &'a Value,
        kind: &'a str,
        seq: u64,
    }
    canonical_json(&Preimage { at, body, kind, seq })
}

/// The preimage of form 2. `kind` and `at` hold no character that JSON escapes: whoever calls this has looked.
fn digest_preimage(seq: u64, kind: &str, at: &str, digest: &Hash) -> Vec<u8> {
    format!(r#"{{"at":"{at}","body":"{digest}","kind":"{kind}","seq":{seq}}}"#).into_bytes()
}

/// An entry that was checked and only lacks its place.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    kind: String,
    at: Timestamp,
    body: Value,
    /// Canonical JSON of the body, as it is stored.
    text: String,
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
        let body = read_canonical(&text).map_err(refused)?;
        Ok(Self {
            kind: kind.to_owned(),
            at,
            body,
            text,
        })
    }

    /// The row at a place, as a store keeps it.
    pub(crate) fn row(&self, seq: u64) -> Row {
        let at = self.at.to_string();
        let preimage = digest_preimage(seq, &self.kind, &at, &digest_of(self.text.as_bytes()));
        Row {
            seq,
            form: Form::Digest,
            kind: self.kind.clone(),
            at,
            content: Content::Body(self.text.clone()),
            leaf: merkle::leaf_hash(&preimage),
        }
    }

    /// The entry as readers get it.
    pub(crate) fn into_entry(self, seq: u64) -> Entry {
        let leaf = self.row(seq).leaf;
        Entry {
            seq,
            kind: self.kind,
            at: self.at,
            body: self.body,
            leaf,
            form: Form::Digest,
        }
    }
}

/// A row as it is stored, not yet believed.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) seq: u64,
    pub(crate) form: Form,
    pub(crate) kind: String,
    pub(crate) at: String,
    pub(crate) content: Content,
    pub(crate) leaf: Hash,
}

/// What is left of a body.
#[derive(Debug, Clone)]
pub(crate) enum Content {
    /// Its text.
    Body(String),
    /// It was pruned; this is the SHA-256 that it had.
    Pruned(Hash),
}

impl Row {
    /// A row out of the columns of a store, or what is wrong with them.
    pub(crate) fn of_stored(
        seq: i64,
        form: i64,
        (kind, at): (String, String),
        (body, digest): (Option<String>, Option<Vec<u8>>),
        leaf: &[u8],
    ) -> Result<Self, String> {
        let place = u64::try_from(seq).map_err(|_| format!("there is an entry at place {seq}"))?;
        let digest = match digest {
            None => None,
            Some(bytes) => {
                Some(Hash::of_stored(&bytes).ok_or_else(|| format!("the digest of entry {seq} can't be read"))?)
            }
        };
        let content = match (body, digest) {
            (Some(body), None) => Content::Body(body),
            (None, Some(digest)) => Content::Pruned(digest),
            _ => return Err(format!("the body of entry {seq} can't be read")),
        };
        Ok(Self {
            seq: place,
            form: Form::of_stored(form).ok_or_else(|| format!("the form of entry {seq} can't be read"))?,
            kind,
            at,
            content,
            leaf: Hash::of_stored(leaf).ok_or_else(|| format!("the leaf hash of entry {seq} can't be read"))?,
        })
    }

    /// Bytes that this row takes in memory, about.
    pub(crate) fn bytes(&self) -> usize {
        let body = match &self.content {
            Content::Body(text) => text.len(),
            Content::Pruned(_) => 0,
        };
        body + self.kind.len() + self.at.len() + 128
    }

    /// SHA-256 of the body as it is, or as it was.
    pub(crate) fn digest(&self) -> Hash {
        match &self.content {
            Content::Body(text) => digest_of(text.as_bytes()),
            Content::Pruned(digest) => *digest,
        }
    }

    /// The leaf hash that the content has now, whatever is stored.
    pub(crate) fn leaf_now(&self) -> Result<Hash, String> {
        let seq = self.seq;
        if !is_kind(&self.kind) {
            return Err(format!("the kind of entry {seq} is no kind"));
        }
        if !self
            .at
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b":.+-".contains(&b))
        {
            return Err(format!("the time of entry {seq} is no timestamp"));
        }
        let preimage = match (self.form, &self.content) {
            (Form::Digest, _) => digest_preimage(seq, &self.kind, &self.at, &self.digest()),
            (Form::Whole, Content::Body(text)) => {
                let body = read_canonical(text).map_err(|why| format!("the body of entry {seq} is altered: {why}"))?;
                whole_preimage(seq, &self.kind, &self.at, &body)
                    .map_err(|error| format!("entry {seq} can't be hashed: {error}"))?
            }
            (Form::Whole, Content::Pruned(_)) => {
                return Err(format!(
                    "the body of entry {seq} is gone, and its leaf commits to all of it"
                ));
            }
        };
        Ok(merkle::leaf_hash(&preimage))
    }

    /// That the stored leaf hash is the one of the content.
    pub(crate) fn check(&self) -> Result<(), String> {
        if self.leaf_now()? != self.leaf {
            return Err(format!("entry {} does not match its leaf hash", self.seq));
        }
        Ok(())
    }

    /// What the entry keeps, checked.
    pub(crate) fn into_stub(self) -> Result<Stub, String> {
        self.check()?;
        Ok(Stub {
            seq: self.seq,
            at: self.moment()?,
            pruned: matches!(self.content, Content::Pruned(_)),
            kind: self.kind,
            leaf: self.leaf,
        })
    }

    fn moment(&self) -> Result<Timestamp, String> {
        (self.at.parse()).map_err(|_| format!("the time of entry {} is no timestamp", self.seq))
    }

    /// The entry, checked; `None` when its body was pruned.
    pub(crate) fn into_entry(self) -> Result<Option<Entry>, String> {
        self.check()?;
        let seq = self.seq;
        let Content::Body(text) = &self.content else {
            return Ok(None);
        };
        Ok(Some(Entry {
            seq,
            at: self.moment()?,
            body: serde_json::from_str(text).map_err(|error| format!("the body of entry {seq} is no JSON: {error}"))?,
            kind: self.kind,
            leaf: self.leaf,
            form: self.form,
        }))
    }
}

/// Reads a body, which must be exactly the canonical JSON of what it says: otherwise text could
/// change (a duplicate key, say) and what it is read as not.
fn read_canonical(text: &str) -> Result<Value, String> {
    let value: Value = serde_json::from_str(text).map_err(|error| format!("it is not JSON: {error}"))?;
    let canonical = canonical_json(&value).map_err(|error| error.to_string())?;
    if canonical != text.as_bytes() {
        return Err("it is not canonical JSON".to_owned());
    }
    Ok(value)
}

pub(crate) fn is_kind(kind: &str) -> bool {
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
    use proptest::prelude::*;
    use serde_json::json;

    fn draft(kind: &str, body: &Value) -> Result<Draft, LedgerError> {
        Draft::new(kind, Timestamp::UNIX_EPOCH, body)
    }

    #[test]
    fn the_preimage_is_canonical_json_with_the_digest_of_the_body() {
        let body = json!({"b": 1.0, "a": "é"});
        let entry = draft("decision", &body).unwrap().into_entry(3);
        let digest = digest_of(r#"{"a":"é","b":1}"#.as_bytes());
        let expected = format!(r#"{{"at":"1970-01-01T00:00:00Z","body":"{digest}","kind":"decision","seq":3}}"#);
        assert_eq!(String::from_utf8(entry.preimage().unwrap()).unwrap(), expected);
        assert_eq!(merkle::leaf_hash(expected.as_bytes()), entry.leaf);
        let as_json = json!({"seq": 3, "kind": "decision", "body": digest.to_string(), "at": "1970-01-01T00:00:00Z"});
        assert_eq!(canonical_json(&as_json).unwrap(), expected.as_bytes());
    }

    #[test]
    fn the_preimage_of_form_1_holds_the_body_itself() {
        let mut entry = draft("decision", &json!({"b": 1.0, "a": "é"})).unwrap().into_entry(3);
        entry.form = Form::Whole;
        assert_eq!(
            String::from_utf8(entry.preimage().unwrap()).unwrap(),
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
    fn a_duplicate_key_is_not_canonical() {
        assert!(read_canonical(r#"{"a":1,"a":1}"#).unwrap_err().contains("canonical"));
        assert!(read_canonical(r#"{"a": 1}"#).unwrap_err().contains("canonical"));
        assert!(read_canonical("{").unwrap_err().contains("not JSON"));
    }

    #[test]
    fn a_row_without_its_body_still_proves_its_place_and_has_no_entry() {
        let mut row = draft("run", &json!(1)).unwrap().row(4);
        row.content = Content::Pruned(row.digest());
        assert_eq!(row.check(), Ok(()));
        assert_eq!(row.clone().into_entry().unwrap(), None);
        row.form = Form::Whole;
        assert!(row.check().unwrap_err().contains("is gone"));
    }

    proptest! {
        /// A kind or time with a quote in it must not make the preimage of another entry.
        #[test]
        fn a_row_is_hashed_only_when_kind_and_time_need_no_escape(kind in "[ -~]{0,12}", at in "[ -~]{0,30}") {
            let row = Row { kind: kind.clone(), at: at.clone(), ..draft("run", &json!(1)).unwrap().row(1) };
            if let Ok(leaf) = row.leaf_now() {
                let body = row.digest().to_string();
                let canonical = canonical_json(&json!({"at": at, "body": body, "kind": kind, "seq": 1})).unwrap();
                prop_assert_eq!(leaf, merkle::leaf_hash(&canonical));
            }
        }
    }
}
