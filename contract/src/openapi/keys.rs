//! The keys of the objects of a description (OpenAPI 3.0 to 3.2, "Fixed Fields"). What isn't among them isn't
//! compared, and leaves a gap where it differs.

use super::Comparison;
use crate::shape::Shape::{Any, Bool, List, Map, Schema, Text};
use crate::shape::{Keys, overlooked};
use crate::tree::NodeId;

#[rustfmt::skip]
pub(super) const ROOT: Keys = &[
    ("openapi", Text), ("info", Any), ("servers", List), ("paths", Map), ("webhooks", Map), ("components", Map), ("security", List), ("tags", Any),
];
#[rustfmt::skip]
pub(super) const PATH_ITEM: Keys = &[
    ("get", Map), ("put", Map), ("post", Map), ("delete", Map), ("options", Map), ("head", Map), ("patch", Map), ("trace", Map), ("query", Map),
    ("additionalOperations", Map), ("parameters", List), ("servers", List),
];
#[rustfmt::skip]
pub(super) const OPERATION: Keys = &[
    ("tags", List), ("operationId", Text), ("parameters", List), ("requestBody", Map), ("responses", Map), ("callbacks", Map),
    ("deprecated", Bool), ("security", List), ("servers", List),
];
#[rustfmt::skip]
pub(super) const PARAMETER: Keys = &[
    ("name", Text), ("in", Text), ("required", Bool), ("deprecated", Bool), ("allowEmptyValue", Bool), ("style", Text), ("explode", Bool),
    ("allowReserved", Bool), ("schema", Schema), ("content", Map),
];
pub(super) const BODY: Keys = &[("content", Map), ("required", Bool)];
pub(super) const RESPONSE: Keys = &[("content", Map), ("headers", Map), ("links", Map)];
pub(super) const MEDIA_TYPE: Keys = &[("schema", Schema), ("itemSchema", Schema), ("encoding", Map)];
#[rustfmt::skip]
pub(super) const SECURITY_SCHEME: Keys = &[
    ("type", Text), ("name", Text), ("in", Text), ("scheme", Text), ("bearerFormat", Text), ("flows", Map), ("openIdConnectUrl", Text), ("deprecated", Bool),
];

impl Comparison<'_> {
    /// Notes what would be overlooked in two objects that are compared.
    pub(super) fn known_keys(&mut self, keys: Keys, old: NodeId, new: NodeId, location: &str) {
        let (base, revision) = (self.graph.base, self.graph.revision);
        let before = base.tree.pairs(old).filter_map(|(key, value)| {
            let other = revision.tree.get_str(new, key);
            let same = other.is_some_and(|other| self.graph.settled(value, other));
            (!same).then(|| overlooked(keys, base, key, value)).flatten()
        });
        let after = revision.tree.pairs(new).filter_map(|(key, value)| {
            let other = base.tree.get_str(old, key);
            let same = other.is_some_and(|other| self.graph.settled(other, value));
            (!same).then(|| overlooked(keys, revision, key, value)).flatten()
        });
        let found: Vec<String> = before.chain(after).collect();
        for text in found {
            self.gap(format!("{location}: {text}"));
        }
    }

    /// Whether what one of two objects is isn't known, since its reference leads nowhere: that was told.
    pub(super) fn unknown(&self, old: NodeId, new: NodeId) -> bool {
        self.graph.base.lost_at(old).is_some() || self.graph.revision.lost_at(new).is_some()
    }
}
