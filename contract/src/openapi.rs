//! OpenAPI 3.0 and 3.1 (spec.openapis.org/oas): what changed between two descriptions, and which
//! clients of the old one can fail against the new one.
//!
//! A schema is compared under a direction: in a request the client writes and the server reads, so
//! narrowing breaks; in a response it is the other way round, so widening does.

mod bodies;
mod document;
mod operations;
pub mod rules;
mod schema;
mod shape;

use std::collections::BTreeSet;

pub use document::Document;
use rules::{Level, Place};

use crate::{Change, ContractDiff};

/// Most changes that are listed; beyond, the comparison says that it is incomplete.
const MAX_CHANGES: usize = 20_000;

/// Compares two descriptions.
#[must_use]
pub fn diff(base: &Document, revision: &Document) -> ContractDiff {
    let mut comparison = Comparison {
        base,
        revision,
        operation: String::new(),
        path: String::new(),
        seen: BTreeSet::new(),
        changes: Vec::new(),
    };
    comparison.paths();
    ContractDiff::new("openapi", comparison.changes)
}

/// The comparison under way.
struct Comparison<'a> {
    base: &'a Document,
    revision: &'a Document,
    operation: String,
    path: String,
    /// Pairs of references that were compared below the current root: each is told once, and a
    /// circle ends here.
    seen: BTreeSet<(String, String)>,
    changes: Vec<Change>,
}

impl Comparison<'_> {
    /// Reports a change by the id of its rule; the table gives the level.
    fn report(&mut self, rule: &str, location: &str, text: impl Into<String>) {
        let level = rules::rule(rule).map_or(Level::Error, |rule| rule.level);
        self.push(rule, level, location, text.into());
    }

    fn push(&mut self, rule: &str, level: Level, location: &str, text: String) {
        let full = self.changes.len() >= MAX_CHANGES;
        let (rule, level) = if full {
            (rules::INCOMPLETE, Level::Error)
        } else {
            (rule, level)
        };
        if self.changes.len() <= MAX_CHANGES {
            self.changes.push(Change {
                rule: rule.to_owned(),
                level,
                operation: self.operation.clone(),
                path: self.path.clone(),
                location: location.to_owned(),
                text,
                line: None,
                categories: Vec::new(),
            });
        }
    }

    /// Reports a change of a schema: the rule is what changed × where.
    fn report_schema(&mut self, place: Place, what: &str, location: &str, text: impl Into<String>) {
        self.report(&format!("{}-{what}", place.prefix()), location, text);
    }
}

#[cfg(test)]
mod tests;
