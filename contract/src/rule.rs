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
