//! What a comparison of two contracts found.

use serde::{Deserialize, Serialize};

/// How a change reaches a client that worked before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// It can't.
    Info,
    /// It can, if the client relies on more than the contract promised.
    Warning,
    /// It can fail.
    Error,
}

impl Level {
    /// The name that people and files use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Change {
    /// Rule that found it.
    pub rule: String,
    /// How bad.
    pub level: Level,
    /// HTTP method, upper case; empty where it isn't about one operation.
    pub operation: String,
    /// Path template.
    pub path: String,
    /// Where in the operation: `response 200 application/json $.items[].id`.
    pub location: String,
    /// One line for people.
    pub text: String,
}

/// All changes between two contracts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContractDiff {
    /// Kind of contract: `openapi`.
    pub kind: String,
    /// Whether a client that worked before can fail: whether any change is an error.
    pub breaking: bool,
    /// Changes, worst first, then by path, operation, location and rule.
    pub changes: Vec<Change>,
}

impl ContractDiff {
    pub(crate) fn new(kind: &str, mut changes: Vec<Change>) -> Self {
        let place = |c: &Change| (c.path.clone(), c.operation.clone(), c.location.clone(), c.rule.clone());
        changes.sort_by(|a, b| b.level.cmp(&a.level).then_with(|| place(a).cmp(&place(b))));
        changes.dedup();
        Self {
            kind: kind.to_owned(),
            breaking: changes.iter().any(|change| change.level == Level::Error),
            changes,
        }
    }
}
