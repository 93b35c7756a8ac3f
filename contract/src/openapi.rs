//! OpenAPI 2.0, 3.0 and 3.1 (spec.openapis.org/oas): what changed between two descriptions, and which
//! clients of the old one can fail against the new one.
//!
//! A schema is compared under a direction: in a request the client writes and the server reads, so
//! narrowing breaks; in a response it is the other way round, so widening does. Webhooks and callbacks
//! turn it around: there the server asks.

mod bodies;
mod document;
mod keys;
mod lifecycle;
mod naming;
mod operations;
mod parameters;
pub mod rules;
mod security;
mod swagger;
mod whole;

use std::borrow::Cow;

pub use document::Document;
pub(crate) use document::unquoted;
use naming::{Place, RootFacts};

use crate::bundle::Bundle;
pub use crate::lifecycle::Day;
use crate::schema::{Graph, PairId};
use crate::tree::{NodeId, word};
use crate::{Change, ContractDiff, Gap, Level};

/// Most changes that are listed below the level of errors.
const MAX_CHANGES: usize = 20_000;
/// Most changes that are listed at all.
const MAX_ERRORS: usize = 40_000;
/// Most changes of schemas that are looked at, listed or not: each operation may lead to each of them.
const MAX_TOLD: usize = 1_000_000;

/// What a comparison may know beside the two descriptions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Policy {
    /// The day of the comparison: what is over may go.
    pub today: Option<Day>,
    /// Days that something stable must last after it is deprecated; 0 asks for none.
    pub stable_days: u32,
    /// The same for what is marked as beta.
    pub beta_days: u32,
}

/// Compares two descriptions, without a day and without a policy for deprecation.
#[must_use]
pub fn diff(base: &Document, revision: &Document) -> ContractDiff {
    diff_under(base, revision, &Policy::default())
}

/// Compares two descriptions on a day and under a policy for deprecation.
#[must_use]
pub fn diff_under(base: &Document, revision: &Document, policy: &Policy) -> ContractDiff {
    let (base, revision) = (&base.bundle, &revision.bundle);
    let graph = Graph::new(base, revision);
    let security = |bundle: &Bundle| bundle.tree.get(bundle.root, word::SECURITY);
    let mut comparison = Comparison {
        same_security: match (security(base), security(revision)) {
            (Some(old), Some(new)) => graph.settled(old, new),
            (old, new) => old.is_none() && new.is_none(),
        },
        graph,
        policy: *policy,
        operation: String::new(),
        path: String::new(),
        prefix: String::new(),
        roots: Vec::new(),
        changes: Vec::new(),
        gaps: base.gaps.iter().chain(&revision.gaps).cloned().collect(),
        unlisted: 0,
    };
    comparison.known_keys(keys::ROOT, base.root, revision.root, "description");
    comparison.whole();
    comparison.paths();
    comparison.webhooks();
    comparison.unused_parts();
    comparison.schemas();
    comparison.finish()
}

/// The schemas of an operation that are told when all pairs are compared.
struct Root {
    operation: String,
    path: String,
    location: String,
    facts: RootFacts,
    pair: PairId,
}

/// The comparison under way.
struct Comparison<'a> {
    graph: Graph<'a>,
    policy: Policy,
    operation: String,
    path: String,
    /// What a location starts with: the callback or webhook.
    prefix: String,
    roots: Vec<Root>,
    changes: Vec<Change>,
    gaps: Vec<Gap>,
    unlisted: usize,
    /// Whether what operations inherit as security is the same.
    same_security: bool,
}

impl Comparison<'_> {
    /// Reports a change by the id of its rule; the table gives the level.
    fn report(&mut self, rule: &'static str, location: &str, text: impl Into<String>) {
        let level = rules::level(rule);
        self.push(rule.into(), level, location, text.into());
    }

    fn push(&mut self, rule: Cow<'static, str>, level: Level, location: &str, text: String) {
        let limit = if level == Level::Error { MAX_ERRORS } else { MAX_CHANGES };
        if self.changes.len() >= limit {
            self.unlisted += 1;
            return;
        }
        self.changes.push(Change {
            rule: rule.into_owned(),
            level,
            operation: self.operation.clone(),
            path: self.path.clone(),
            location: format!("{}{location}", self.prefix),
            text,
            line: None,
            file: None,
            in_base: false,
            categories: Vec::new(),
        });
    }

    fn gap(&mut self, text: impl Into<String>) {
        self.gaps.push(Gap {
            place: format!("{} {}", self.operation, self.path).trim().to_owned(),
            text: text.into(),
        });
    }

    /// What the comparison by operations doesn't reach, or reads otherwise than the version means it.
    fn unused_parts(&mut self) {
        let (base, revision) = (self.graph.base, self.graph.revision);
        let of = |bundle: &Bundle, key| bundle.tree.get(bundle.root, key);
        let is_empty = |bundle: &Bundle| {
            let parts = [word::PATHS, word::WEBHOOKS]
                .into_iter()
                .filter_map(|key| of(bundle, key));
            parts.into_iter().all(|part| bundle.tree.entries(part).is_empty())
        };
        // Others may refer to its parts.
        if is_empty(base) && is_empty(revision) {
            let part = |bundle: &Bundle, name: &str| bundle.tree.get_str(of(bundle, word::COMPONENTS)?, name);
            // Security is compared as a whole.
            let others = [
                "schemas",
                "parameters",
                "requestBodies",
                "responses",
                "headers",
                "pathItems",
                "callbacks",
            ];
            let same = |name: &&str| match (part(base, name), part(revision, name)) {
                (Some(old), Some(new)) => self.graph.settled(old, new),
                (old, new) => old.is_none() && new.is_none(),
            };
            if !others.iter().all(same) {
                self.gap("there is no operation, and `components` alone aren't compared");
            }
        }
        let is_3_0 = |bundle: &Bundle| {
            let version = bundle.tree.text_of(bundle.root, word::OPENAPI);
            version.is_some_and(|version| version.starts_with("3.0"))
        };
        let says_nullable = |bundle: &Bundle| bundle.tree.all().any(|node| bundle.tree.flag(node, word::NULLABLE));
        if is_3_0(base) != is_3_0(revision) {
            let later = if is_3_0(base) { revision } else { base };
            if says_nullable(later) {
                self.gap("`nullable` stands in a description of OpenAPI 3.1, where it is no keyword: whether null is meant can't be told");
            }
        }
    }

    /// Asks for a comparison of two schemas.
    fn root(&mut self, facts: RootFacts, base: NodeId, revision: NodeId, location: &str) {
        if let Some(pair) = self.graph.pair(&[base], &[revision]) {
            self.roots.push(Root {
                operation: self.operation.clone(),
                path: self.path.clone(),
                location: format!("{}{location}", self.prefix),
                facts,
                pair,
            });
        }
    }

    /// Compares all schemas that were asked for.
    fn schemas(&mut self) {
        self.graph.run();
        self.prefix.clear();
        let mut told = 0;
        for root in std::mem::take(&mut self.roots) {
            if told > MAX_TOLD || self.changes.len() >= MAX_ERRORS {
                self.unlisted += 1;
                continue;
            }
            self.operation.clone_from(&root.operation);
            self.path.clone_from(&root.path);
            let mut found = Vec::new();
            self.graph.walk(root.pair, |finding, way, guard, is_root| {
                let (rule, level) = naming::name(finding, guard, is_root, &root.facts);
                found.push((rule, level, format!("{} {way}", root.location), finding.text.clone()));
            });
            told += found.len();
            for (rule, level, location, text) in found {
                self.push(rule, level, &location, text);
            }
        }
    }

    fn finish(mut self) -> ContractDiff {
        self.operation.clear();
        self.path.clear();
        for text in self.graph.gaps() {
            self.gap(text);
        }
        if self.unlisted > 0 {
            let text = format!("at least {} more changes aren't listed", self.unlisted);
            self.gap(text);
        }
        ContractDiff::with_gaps("openapi", self.changes, self.gaps)
    }
}

/// All rules, each with what it means and with the one that fires for the change made backwards.
#[must_use]
pub fn rules() -> Vec<crate::Rule> {
    rules::rules()
}

#[cfg(test)]
mod laws;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_files;
#[cfg(test)]
mod tests_operations;
