//! What a schema says of a property that it doesn't name (JSON Schema 2020-12 core §10.3.2, §11.3).

use regex::RegexBuilder;

use super::View;
use crate::tree::{NodeId, word};

/// Largest pattern of names once it is compiled, in bytes.
const MAX_PATTERN_BYTES: usize = 1 << 16;

/// What holds for a property without a name of its own.
pub(super) enum Unnamed {
    /// It may be anything.
    Free,
    /// It isn't possible.
    Refused,
    /// It must satisfy all of these.
    Must(Vec<NodeId>),
    /// A pattern for names can't be read, and tells which of the others it is.
    Unclear,
}

impl Unnamed {
    /// What `view` says of `name`, which none of its `properties` is.
    pub(super) fn of(view: &View<'_>, name: &str) -> Self {
        let tree = &view.bundle.tree;
        let (mut by_pattern, mut matched) = (Vec::new(), false);
        for (pattern, schemas) in view.named(word::PATTERN_PROPERTIES) {
            let Ok(pattern) = RegexBuilder::new(pattern).size_limit(MAX_PATTERN_BYTES).build() else {
                return Self::Unclear;
            };
            if pattern.is_match(name) {
                matched = true;
                by_pattern.extend(schemas);
            }
        }
        let rest = [word::ADDITIONAL_PROPERTIES, word::UNEVALUATED_PROPERTIES];
        let mut schemas = match matched {
            true => by_pattern,
            false => rest.into_iter().flat_map(|keyword| view.restricting(keyword)).collect(),
        };
        if schemas.iter().any(|schema| tree.bool(*schema) == Some(false)) {
            return Self::Refused;
        }
        schemas.retain(|schema| tree.is_map(*schema) && !tree.entries(*schema).is_empty());
        match schemas.is_empty() {
            true => Self::Free,
            false => Self::Must(schemas),
        }
    }
}
