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
    /// Path template of the operation; for other kinds than OpenAPI the file or the type.
    pub path: String,
    /// Where in the operation: `response 200 application/json $.items[].id`.
    pub location: String,
    /// One line for people.
    pub text: String,
    /// Line in the revision's file, or in the base's where the thing is gone; 1-based. For OpenAPI and AsyncAPI that of
    /// the operation or channel. Not known for JSON Schema, SQL and recorded interactions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// File of the line, from the folder that is compared, where `path` doesn't say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Whether the line is one of the base: the revision has the thing no more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub in_base: bool,
    /// Families of compatibility that it breaks: for Protobuf `FILE`, `PACKAGE`, `WIRE_JSON`, `WIRE`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<String>,
}

/// Something that could not be compared, so that "nothing breaks" can't be said.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Gap {
    /// Where: a file, and a place in it where that is known.
    pub place: String,
    /// Why, one line for people.
    pub text: String,
}

/// What a comparison says as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DiffVerdict {
    /// All was compared and no client that worked before can fail.
    Compatible,
    /// A client that worked before can fail.
    Breaking,
    /// Nothing that breaks was found, but not all could be compared.
    Inconclusive,
}

/// All changes between two contracts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContractDiff {
    /// Kind of contract: `openapi`, `protobuf`, `graphql`, …
    pub kind: String,
    /// Whether a client that worked before can fail: whether any change is an error.
    pub breaking: bool,
    /// Changes, worst first, then by path, operation, location and rule.
    pub changes: Vec<Change>,
    /// What could not be compared, in the order of places.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gaps: Vec<Gap>,
}

impl ContractDiff {
    #[cfg(test)]
    pub(crate) fn new(kind: &str, changes: Vec<Change>) -> Self {
        Self::with_gaps(kind, changes, Vec::new())
    }

    pub(crate) fn with_gaps(kind: &str, mut changes: Vec<Change>, mut gaps: Vec<Gap>) -> Self {
        let place = |c: &Change| (c.path.clone(), c.operation.clone(), c.location.clone(), c.rule.clone());
        changes.sort_by(|a, b| b.level.cmp(&a.level).then_with(|| place(a).cmp(&place(b))));
        changes.dedup();
        gaps.sort();
        gaps.dedup();
        Self {
            kind: kind.to_owned(),
            breaking: changes.iter().any(|change| change.level == Level::Error),
            changes,
            gaps,
        }
    }

    /// What it says as a whole.
    #[must_use]
    pub fn verdict(&self) -> DiffVerdict {
        match (self.breaking, self.gaps.is_empty()) {
            (true, _) => DiffVerdict::Breaking,
            (false, true) => DiffVerdict::Compatible,
            (false, false) => DiffVerdict::Inconclusive,
        }
    }
}
