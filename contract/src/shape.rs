//! What kind of value a keyword has. One of another kind would be skipped by every comparison, so it leaves a gap
//! where it differs between the sides.

use crate::bundle::Bundle;
use crate::tree::{NodeId, Tree};

/// The kind of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Any,
    Map,
    List,
    Text,
    Number,
    Bool,
    /// A schema: an object, or since JSON Schema 6 a truth value.
    Schema,
    /// Items: a schema, or before JSON Schema 2020-12 a list of them.
    Items,
    /// A name, or several.
    Names,
    /// An exclusive bound: a number, or before JSON Schema 6 a mark.
    Bound,
    /// A discriminator: an object, or in OpenAPI 2.0 a name.
    Discriminator,
}

impl Shape {
    /// Whether a value is of this kind; null says nothing.
    pub(crate) fn fits(self, tree: &Tree, value: NodeId) -> bool {
        let (map, list) = (tree.is_map(value), tree.is_list(value));
        let (text, truth, number) = (
            tree.text(value).is_some(),
            tree.bool(value).is_some(),
            tree.number(value).is_some(),
        );
        tree.is_null(value)
            || match self {
                Self::Any => true,
                Self::Map => map,
                Self::List => list,
                Self::Text => text,
                Self::Number => number,
                Self::Bool => truth,
                Self::Schema => map || truth,
                Self::Items => map || truth || list,
                Self::Names => text || list,
                Self::Bound => number || truth,
                Self::Discriminator => map || text,
            }
    }

    /// As people call it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Any => "a value",
            Self::Map => "an object",
            Self::List => "a list",
            Self::Text => "a text",
            Self::Number => "a number",
            Self::Bool => "true or false",
            Self::Schema => "a schema",
            Self::Items => "a schema or a list of them",
            Self::Names => "a text or a list of them",
            Self::Bound => "a number or a truth value",
            Self::Discriminator => "an object or a name",
        }
    }
}

/// The keys that an object may have.
pub(crate) type Keys = &'static [(&'static str, Shape)];

/// Why a comparison would overlook an entry of an object; nothing where it doesn't.
pub(crate) fn overlooked(keys: Keys, bundle: &Bundle, key: &str, value: NodeId) -> Option<String> {
    if key == "$ref" || key.starts_with("x-") {
        return None;
    }
    let shown = key.escape_debug();
    match keys.iter().find(|(known, _)| *known == key) {
        None => Some(format!("`{shown}` isn't compared, and differs")),
        Some((_, shape)) if !shape.fits(&bundle.tree, value) => {
            Some(format!("`{shown}` isn't {}, and differs", shape.name()))
        }
        Some(_) => None,
    }
}
