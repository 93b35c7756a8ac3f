//! What a rule says of itself, whatever kind of contract it is about.

use serde::Serialize;

use crate::Level;

/// One rule, as `holdpoint contract rules` and `--explain RULE` show it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Rule {
    /// Kind of contract: `openapi`, `protobuf`, …
    pub kind: &'static str,
    /// Id, stable; the name that the best-known tool for the kind uses, where it has the rule.
    pub id: String,
    /// How bad, unless the configuration says otherwise.
    pub level: Level,
    /// What it means for a client, one or two sentences.
    pub explanation: String,
    /// The rule that fires where the change is made backwards, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub opposite: Option<String>,
}

/// A line of a kind's table: id, level, what it means, and the id of the change backwards.
pub(crate) type Row = (&'static str, Level, &'static str, Option<&'static str>);

/// The level of a rule of a table; what isn't in it breaks.
pub(crate) fn level_in(rows: &[Row], id: &str) -> Level {
    rows.iter()
        .find(|(known, ..)| *known == id)
        .map_or(Level::Error, |(_, level, ..)| *level)
}

/// The rules of a table, for people.
pub(crate) fn rules_in(kind: &'static str, rows: &[Row]) -> Vec<Rule> {
    let rule = |(id, level, explanation, opposite): &Row| Rule {
        kind,
        id: (*id).to_owned(),
        level: *level,
        explanation: (*explanation).to_owned(),
        opposite: opposite.map(str::to_owned),
    };
    rows.iter().map(rule).collect()
}
