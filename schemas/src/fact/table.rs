//! The table of facts: what a row says, and the shipped rows together with an organisation's own.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::rows::FACTS;
use super::{Action, FactValue, cedar, json_schema, reference};

/// Type of a fact's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FactType {
    /// Yes or no.
    Bool,
    /// Whole number.
    Long,
    /// One of these words.
    Word(&'static [&'static str]),
    /// Free text.
    Text,
    /// A small set of words.
    Set,
}

impl FactType {
    /// Whether `value` is of this type.
    #[must_use]
    pub fn accepts(self, value: &FactValue) -> bool {
        match (self, value) {
            (Self::Bool, FactValue::Bool(_))
            | (Self::Long, FactValue::Long(_))
            | (Self::Text, FactValue::String(_))
            | (Self::Set, FactValue::Set(_)) => true,
            (Self::Word(words), FactValue::String(word)) => words.contains(&word.as_str()),
            _ => false,
        }
    }

    /// For error messages: "a number", "one of `a`, `b`".
    #[must_use]
    pub fn describe(self) -> String {
        match self {
            Self::Bool => "yes or no".to_owned(),
            Self::Long => "a whole number".to_owned(),
            Self::Text => "text".to_owned(),
            Self::Set => "a set of words".to_owned(),
            Self::Word(words) => format!(
                "one of {}",
                words.iter().map(|w| format!("`{w}`")).collect::<Vec<_>>().join(", ")
            ),
        }
    }

    /// The Cedar type.
    #[must_use]
    pub const fn cedar(self) -> &'static str {
        match self {
            Self::Bool => "Bool",
            Self::Long => "Long",
            Self::Word(_) | Self::Text => "String",
            Self::Set => "Set<String>",
        }
    }
}

/// One fact that can be known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FactRow {
    /// Its path in `context`, for example `change.freeze_active`.
    pub id: &'static str,
    /// Type of its value.
    pub fact_type: FactType,
    /// One sentence; for a number, with its unit.
    pub doc: &'static str,
    /// Seconds after which it is unknown; `None`: it can't go stale within a run.
    pub ttl_seconds: Option<i64>,
    /// Who or what could supply it when it is unknown.
    pub resolver: &'static str,
    /// Which actions' contexts hold it.
    pub actions: &'static [Action],
    /// For evidence, and for an organisation's words with a best one: its values from worst to best. Packs are
    /// proved monotone in it.
    pub evidence_order: &'static [&'static str],
}

/// The facts that can be known: the shipped ones, and those that an organisation declares under
/// `org.`. Pack, collectors and proofs of one run share one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FactTable {
    rows: BTreeMap<&'static str, FactRow>,
}

impl FactTable {
    /// The shipped facts.
    #[must_use]
    pub fn shipped() -> &'static Self {
        static SHIPPED: LazyLock<FactTable> = LazyLock::new(|| FactTable {
            rows: FACTS.iter().map(|row| (row.id, *row)).collect(),
        });
        &SHIPPED
    }

    /// This table with an organisation's own facts.
    ///
    /// # Errors
    /// The id of a row that isn't under `org.`, is there already, or is the group of another.
    pub fn with_org(&self, rows: impl IntoIterator<Item = FactRow>) -> Result<Self, &'static str> {
        let mut table = self.clone();
        for row in rows {
            let nests = |other: &str| {
                let (short, long) = if other.len() < row.id.len() {
                    (other, row.id)
                } else {
                    (row.id, other)
                };
                long.strip_prefix(short)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            };
            if !row.id.starts_with("org.") || table.rows.keys().any(|other| nests(other)) {
                return Err(row.id);
            }
            table.rows.insert(row.id, row);
        }
        Ok(table)
    }

    /// The row of a fact, by id.
    #[must_use]
    pub fn row(&self, id: &str) -> Option<&FactRow> {
        self.rows.get(id)
    }

    /// Every row, by id.
    pub fn rows(&self) -> impl Iterator<Item = &FactRow> {
        self.rows.values()
    }

    /// The Cedar schema of these facts, in Cedar's own syntax.
    #[must_use]
    pub fn cedar_schema(&self) -> String {
        cedar::schema(self)
    }

    /// The JSON Schema (draft 2020-12) of an object of values by fact id.
    #[must_use]
    pub fn json_schema(&self) -> serde_json::Value {
        json_schema::schema(self)
    }

    /// The reference page, in Markdown.
    #[must_use]
    pub fn reference_page(&self) -> String {
        reference::page(self)
    }
}

/// The row of a shipped fact, by id.
#[must_use]
pub fn row(id: &str) -> Option<&'static FactRow> {
    FactTable::shipped().row(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_organisation_adds_facts_under_org_alone() {
        let shipped = FactTable::shipped();
        let like = |id| FactRow {
            id,
            ..*row("service.tier").unwrap()
        };
        let table = shipped.with_org([like("org.a"), like("org.b.c")]).unwrap();
        assert!(table.row("org.b.c").is_some() && shipped.row("org.a").is_none());
        assert!(table.cedar_schema().contains("\"org\"?: {"));
        for id in ["service.mine", "org.a", "org.a.b", "org.b", "org"] {
            assert_eq!(table.with_org([like(id)]), Err(id));
        }
        assert!(table.with_org([like("org.ab")]).is_ok());
    }
}
