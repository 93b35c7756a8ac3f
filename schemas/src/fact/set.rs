//! Values of facts, and what is unknown.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::key::{Key, Typed};
use super::table::{FactTable, row};
use crate::Digest;

/// Value of a fact. Its type is the one that its row declares.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum FactValue {
    /// Yes or no.
    Bool(bool),
    /// Whole number, in the row's unit.
    Long(i64),
    /// Text, often one of a few words.
    String(String),
    /// A small set of words.
    Set(BTreeSet<String>),
}

impl fmt::Display for FactValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(true) => f.pad("yes"),
            Self::Bool(false) => f.pad("no"),
            Self::Long(number) => f.pad(&number.to_string()),
            Self::String(text) => f.pad(text),
            Self::Set(words) if words.is_empty() => f.pad("none"),
            Self::Set(words) => f.pad(&words.iter().map(String::as_str).collect::<Vec<_>>().join(", ")),
        }
    }
}

impl From<bool> for FactValue {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for FactValue {
    fn from(value: i64) -> Self {
        Self::Long(value)
    }
}

impl From<&str> for FactValue {
    fn from(value: &str) -> Self {
        Self::String(value.to_owned())
    }
}

impl From<String> for FactValue {
    fn from(value: String) -> Self {
        Self::String(value)
    }
}

impl From<BTreeSet<String>> for FactValue {
    fn from(value: BTreeSet<String>) -> Self {
        Self::Set(value)
    }
}

/// One thing known. Collected under a [`Key`], its value has the key's type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact<V = FactValue> {
    /// What.
    pub value: V,
    /// File, tool or computation that says so.
    pub source: String,
    /// When it was true as far as the source knows.
    pub observed_at: Timestamp,
    /// What a person needs to hear beside the value: the name and end of the freeze, the commit,
    /// the control with its owner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// One thing not known.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Unknown {
    /// Fact id.
    pub id: String,
    /// Why it isn't known: absent, stale, unreadable source.
    pub why: String,
    /// Who or what could supply it.
    pub resolver: String,
}

/// A fact as a decision read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FactReading {
    /// Fact id.
    pub id: String,
    /// The fact; `None` if unknown.
    pub fact: Option<Fact>,
}

/// All facts about one (fix, finding) pair. What isn't in it is unknown.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FactSet {
    known: BTreeMap<String, Fact>,
    /// Reasons for what is unknown, where there is more to say than "nothing supplied it".
    unknown: BTreeMap<String, String>,
}

impl FactSet {
    /// An empty set: everything is unknown.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Records a fact. An id that isn't in the shipped table, or a value of another type than its row
    /// says, is recorded as unknown, with that reason. An organisation's fact (`org.…`) is kept as it
    /// comes: whoever collects it has its declaration, and policies never see one that doesn't fit.
    pub fn insert(&mut self, id: &str, fact: Fact) {
        match row(id) {
            None if id.starts_with("org.") => {
                self.unknown.remove(id);
                self.known.insert(id.to_owned(), fact);
            }
            Some(row) if row.fact_type.accepts(&fact.value) => {
                self.unknown.remove(id);
                self.known.insert(id.to_owned(), fact);
            }
            Some(row) => self.insert_unknown(
                id,
                format!("its source gave a value that isn't {}", row.fact_type.describe()),
            ),
            None => self.insert_unknown(id, "the fact table has no such fact"),
        }
    }

    /// Records a shipped fact, whose type the compiler checks.
    pub fn set<T: Typed>(&mut self, key: Key<T>, fact: Fact<T>) {
        let Fact {
            value,
            source,
            observed_at,
            note,
        } = fact;
        self.insert(
            key.id(),
            Fact {
                value: value.into(),
                source,
                observed_at,
                note,
            },
        );
    }

    /// Records why a shipped fact is unknown; a known value is dropped.
    pub fn set_unknown<T>(&mut self, key: Key<T>, why: impl Into<String>) {
        self.insert_unknown(key.id(), why);
    }

    /// The value of a shipped fact, if known.
    #[must_use]
    pub fn value<T: Typed>(&self, key: Key<T>) -> Option<T::Read<'_>> {
        T::read(&self.get(key.id())?.value)
    }

    /// Records why a fact is unknown; a known value is dropped.
    pub fn insert_unknown(&mut self, id: &str, why: impl Into<String>) {
        self.known.remove(id);
        self.unknown.insert(id.to_owned(), why.into());
    }

    /// The fact, if known.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Fact> {
        self.known.get(id)
    }

    /// Known facts, by id.
    pub fn known(&self) -> impl Iterator<Item = (&str, &Fact)> {
        self.known.iter().map(|(id, fact)| (id.as_str(), fact))
    }

    /// Why `id` isn't known and who could supply it, or `None` if it is known.
    #[must_use]
    pub fn unknown(&self, table: &FactTable, id: &str) -> Option<Unknown> {
        if self.known.contains_key(id) {
            return None;
        }
        Some(Unknown {
            id: id.to_owned(),
            why: self
                .unknown
                .get(id)
                .cloned()
                .unwrap_or_else(|| "nothing supplied it".to_owned()),
            resolver: table
                .row(id)
                .map_or("no one: the fact table has no such fact", |row| row.resolver)
                .to_owned(),
        })
    }

    /// Makes every fact unknown whose time to live has passed at `now`.
    pub fn expire(&mut self, table: &FactTable, now: Timestamp) {
        let stale: Vec<(String, String)> = self
            .known
            .iter()
            .filter_map(|(id, fact)| {
                let ttl = table.row(id)?.ttl_seconds?;
                let age = now.duration_since(fact.observed_at).as_secs();
                (age > ttl).then(|| {
                    (
                        id.clone(),
                        format!("last observed {}, older than {} h", fact.observed_at, ttl / 3600),
                    )
                })
            })
            .collect();
        for (id, why) in stale {
            self.insert_unknown(&id, why);
        }
    }

    /// Digest of the *values* of the named facts (not their ages or sources): what an approval
    /// is bound to. An unknown fact counts as null.
    ///
    /// # Errors
    /// Never in practice: all values can be written as JSON.
    pub fn digest_of<'a>(&self, ids: impl IntoIterator<Item = &'a str>) -> Result<Digest, serde_json::Error> {
        let values: BTreeMap<&str, Option<&FactValue>> = ids
            .into_iter()
            .map(|id| (id, self.get(id).map(|fact| &fact.value)))
            .collect();
        Digest::of_json(&values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::keys;

    fn fact<T>(value: T) -> Fact<T> {
        Fact {
            value,
            source: "test".to_owned(),
            observed_at: Timestamp::UNIX_EPOCH,
            note: None,
        }
    }

    #[test]
    fn what_is_set_under_a_key_is_read_back_with_its_type() {
        let mut facts = FactSet::new();
        facts.set(keys::fix::FILES, fact(3));
        facts.set(keys::fix::CLASS, fact("logic"));
        facts.set(keys::evidence::test::VERDICT, fact("passed"));
        assert_eq!(facts.value(keys::fix::FILES), Some(3));
        assert_eq!(facts.value(keys::fix::CLASS), Some("logic"));
        facts.set_unknown(keys::fix::FILES, "it is gone");
        assert_eq!(facts.value(keys::fix::FILES), None);
    }

    #[test]
    fn a_word_that_the_row_does_not_list_is_unknown() {
        let mut facts = FactSet::new();
        facts.set(keys::fix::CLASS, fact("mystical"));
        assert_eq!(facts.value(keys::fix::CLASS), None);
        let unknown = facts.unknown(FactTable::shipped(), "fix.class").unwrap();
        assert!(unknown.why.contains("one of `mechanical`, `logic`"), "{}", unknown.why);
    }
}
