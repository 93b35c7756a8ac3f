//! An organisation's own facts, as `facts.d/*.yaml` declares them and gives their values.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Mutex, PoisonError};

use schemars::JsonSchema;
use serde::de::{self, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Action, FactRow, FactType, FactValue};

/// One file of `facts.d`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OrgFactsFile {
    /// Facts.
    pub facts: Vec<OrgFact>,
}

/// A fact that an organisation declares, and its values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OrgFact {
    /// Its path in `context`: `org.` and names of lower-case letters, digits and `_`.
    #[schemars(regex(pattern = r"^org(\.[a-z][a-z0-9_]*)+$"))]
    pub id: String,
    /// Type of its values: `bool`, `long` (a whole number), `text`, `set` (of words), or a list of the words
    /// that it can be.
    #[serde(rename = "type")]
    pub fact_type: OrgType,
    /// One sentence on one line; for a number, with its unit.
    pub doc: String,
    /// Who or what can supply it when it is unknown.
    pub resolver: String,
    /// Days after `observed` from which on it is unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl_days: Option<u32>,
    /// The best value. Where services that disagree own a change together, the worst value counts; without a
    /// best value it is unknown then. Only words have one, the last: they go from worst to best.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub best: Option<FactValue>,
    /// The day (UTC) on which the values were true. Without it they count as true at each run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed: Option<jiff::civil::Date>,
    /// Value for services that `values` doesn't list; without it, theirs is unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<FactValue>,
    /// Values by service id, as the catalogue has it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub values: BTreeMap<String, FactValue>,
}

/// Type of an organisation's fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OrgType {
    /// `bool`: yes or no.
    Bool,
    /// `long`: a whole number.
    Long,
    /// `text`: free text.
    Text,
    /// `set`: a small set of words.
    Set,
    /// One of these words.
    Words(Vec<String>),
}

impl OrgFact {
    /// What is declared, without any values: what the ledger keeps, so that old decisions replay.
    #[must_use]
    pub fn declaration(&self) -> Self {
        Self {
            observed: None,
            default: None,
            values: BTreeMap::new(),
            ..self.clone()
        }
    }

    /// Its row for the table of facts.
    ///
    /// Rows are `'static`, so its strings are kept for the life of the process: each different one once,
    /// and whoever reads the files bounds how many there are.
    #[must_use]
    pub fn row(&self) -> FactRow {
        let words = match &self.fact_type {
            OrgType::Words(words) => kept_words(words),
            _ => &[],
        };
        FactRow {
            id: kept(&self.id),
            fact_type: match &self.fact_type {
                OrgType::Bool => FactType::Bool,
                OrgType::Long => FactType::Long,
                OrgType::Text => FactType::Text,
                OrgType::Set => FactType::Set,
                OrgType::Words(_) => FactType::Word(words),
            },
            doc: kept(&self.doc),
            ttl_seconds: self.ttl_days.map(|days| i64::from(days) * 86_400),
            resolver: kept(&self.resolver),
            actions: &Action::ALL,
            // With an order, packs are proved monotone in it as in evidence: what makes the worst value of
            // several owners the safe one.
            evidence_order: if self.best.is_some() { words } else { &[] },
        }
    }

    /// The worst of several different values, or `None` where no order says which that is.
    #[must_use]
    pub fn worst<'a>(&self, values: &[&'a FactValue]) -> Option<&'a FactValue> {
        let best = self.best.as_ref()?;
        match &self.fact_type {
            // Refused by now, but the ledger may hold some.
            OrgType::Bool => values.iter().copied().find(|value| *value != best),
            OrgType::Words(words) => values.iter().copied().min_by_key(|value| {
                words
                    .iter()
                    .position(|word| matches!(value, FactValue::String(text) if text == word))
            }),
            OrgType::Long | OrgType::Text | OrgType::Set => None,
        }
    }
}

/// Strings and lists of words that rows hold; each is there once, however often an estate is read.
static KEPT: Mutex<(BTreeSet<&'static str>, BTreeSet<&'static [&'static str]>)> =
    Mutex::new((BTreeSet::new(), BTreeSet::new()));

fn kept(text: &str) -> &'static str {
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = kept.0.get(text) {
        return known;
    }
    let new: &'static str = Box::leak(text.to_owned().into_boxed_str());
    kept.0.insert(new);
    new
}

fn kept_words(words: &[String]) -> &'static [&'static str] {
    let words: Vec<&'static str> = words.iter().map(|word| kept(word)).collect();
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = kept.1.get(words.as_slice()) {
        return known;
    }
    let new: &'static [&'static str] = Box::leak(words.into_boxed_slice());
    kept.1.insert(new);
    new
}

/// Names of the types that aren't a list of words.
const NAMES: [(&str, OrgType); 4] = [
    ("bool", OrgType::Bool),
    ("long", OrgType::Long),
    ("text", OrgType::Text),
    ("set", OrgType::Set),
];

impl Serialize for OrgType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Words(words) => words.serialize(serializer),
            plain => NAMES
                .iter()
                .find(|(_, named)| named == plain)
                .map_or("", |(name, _)| *name)
                .serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for OrgType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TypeVisitor)
    }
}

struct TypeVisitor;

impl<'de> Visitor<'de> for TypeVisitor {
    type Value = OrgType;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("`bool`, `long`, `text`, `set` or a list of words")
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<OrgType, E> {
        NAMES
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, named)| named.clone())
            .ok_or_else(|| {
                E::custom(format!(
                    "`{name}` isn't a type: `bool`, `long`, `text`, `set` or a list of words was expected"
                ))
            })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<OrgType, A::Error> {
        let mut words = Vec::new();
        while let Some(word) = sequence.next_element()? {
            words.push(word);
        }
        Ok(OrgType::Words(words))
    }
}

impl JsonSchema for OrgType {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "OrgType".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "anyOf": [
                {"enum": NAMES.iter().map(|(name, _)| *name).collect::<Vec<_>>()},
                {"type": "array", "items": {"type": "string"}, "minItems": 2, "uniqueItems": true},
            ]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(best: Option<&str>) -> OrgFact {
        let json = serde_json::json!({
            "id": "org.cover", "type": ["none", "partial", "full"], "doc": "How far tests cover it.", "resolver": "QA",
            "ttl_days": 2, "best": best,
        });
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn a_declaration_becomes_a_row_whose_strings_are_kept_once() {
        let row = words(Some("full")).row();
        assert_eq!(row.id, "org.cover");
        assert_eq!(row.fact_type, FactType::Word(&["none", "partial", "full"]));
        assert_eq!(row.evidence_order, ["none", "partial", "full"]);
        assert_eq!(row.ttl_seconds, Some(172_800));
        let again = words(Some("full")).row();
        assert!(std::ptr::eq(row.doc, again.doc) && std::ptr::eq(row.evidence_order, again.evidence_order));
        assert!(words(None).row().evidence_order.is_empty());
    }

    #[test]
    fn the_worst_value_is_known_only_where_there_is_an_order() {
        let (none, full) = (FactValue::from("none"), FactValue::from("full"));
        assert_eq!(words(Some("full")).worst(&[&full, &none]), Some(&none));
        assert_eq!(words(None).worst(&[&full, &none]), None);
        let yes_is_best = OrgFact {
            fact_type: OrgType::Bool,
            best: Some(true.into()),
            ..words(None)
        };
        let (yes, no) = (true.into(), false.into());
        assert_eq!(yes_is_best.worst(&[&yes, &no]), Some(&no));
    }

    #[test]
    fn a_type_is_one_of_four_names_or_a_list_of_words() {
        for (name, expected) in NAMES {
            assert_eq!(serde_json::from_value::<OrgType>(name.into()).unwrap(), expected);
            assert_eq!(serde_json::to_value(&expected).unwrap(), name);
        }
        let error = serde_json::from_str::<OrgType>("\"float\"").unwrap_err().to_string();
        assert!(
            error.contains("`bool`, `long`, `text`, `set` or a list of words"),
            "{error}"
        );
        assert!(serde_json::from_str::<OrgType>("3").is_err());
    }

    #[test]
    fn a_declaration_holds_no_values() {
        let fact = OrgFact {
            default: Some("none".into()),
            values: BTreeMap::from([("payments".to_owned(), "full".into())]),
            ..words(None)
        };
        assert_eq!(fact.declaration(), words(None));
    }
}
