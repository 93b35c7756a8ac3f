//! The keywords of schemas that are compared, and what each must be (JSON Schema draft 4 to 2020-12, OpenAPI 2.0 to
//! 3.2). All others are annotations.

use super::View;
use super::compare::Comparison;
use crate::shape::Shape::{Any, Bool, Bound, Discriminator, Items, List, Map, Names, Number, Schema, Text};
use crate::shape::{Keys, overlooked};
use crate::tree::NodeId;

#[rustfmt::skip]
const KEYWORDS: Keys = &[
    ("type", Names), ("format", Text), ("properties", Map), ("required", List), ("items", Items), ("enum", List), ("const", Any),
    ("nullable", Bool), ("readOnly", Bool), ("writeOnly", Bool), ("allOf", List), ("anyOf", List), ("oneOf", List), ("not", Schema),
    ("discriminator", Discriminator), ("additionalProperties", Schema), ("patternProperties", Map), ("pattern", Text),
    ("propertyNames", Schema), ("prefixItems", List), ("additionalItems", Schema), ("contains", Schema), ("if", Schema), ("then", Schema),
    ("else", Schema), ("dependentRequired", Map), ("dependentSchemas", Map), ("dependencies", Map), ("unevaluatedItems", Schema),
    ("unevaluatedProperties", Schema), ("uniqueItems", Bool), ("contentSchema", Schema), ("contentMediaType", Text),
    ("contentEncoding", Text), ("maximum", Number), ("minimum", Number), ("exclusiveMaximum", Bound), ("exclusiveMinimum", Bound),
    ("multipleOf", Number), ("maxLength", Number), ("minLength", Number), ("maxItems", Number), ("minItems", Number),
    ("maxProperties", Number), ("minProperties", Number), ("maxContains", Number), ("minContains", Number),
];

/// Keywords of drafts that aren't compared.
const FOREIGN: [&str; 3] = ["extends", "disallow", "divisibleBy"];

/// What a comparison overlooks in a schema.
fn odd<'a>(view: &View<'a>) -> Vec<(&'a str, NodeId, String)> {
    let mut found = Vec::new();
    for (key, value) in view.entries() {
        let known = FOREIGN.contains(&key) || KEYWORDS.iter().any(|(name, _)| *name == key);
        if known && let Some(text) = overlooked(KEYWORDS, view.bundle, key, value) {
            found.push((key, value, text));
        }
    }
    found
}

impl Comparison<'_, '_> {
    /// Notes keywords whose values are of a kind that none is compared as, unless they are the same on both sides.
    pub(super) fn odd_keywords(&mut self) {
        let (old, new) = (odd(&self.old), odd(&self.new));
        let same =
            |a: &(&str, NodeId, String), b: &(&str, NodeId, String)| a.0 == b.0 && self.graph.alignment.same(a.1, b.1);
        let gone = old.iter().filter(|a| !new.iter().any(|b| same(a, b)));
        let fresh = new.iter().filter(|b| !old.iter().any(|a| same(a, b)));
        let texts: Vec<String> = gone.chain(fresh).map(|(.., text)| format!("schema: {text}")).collect();
        for text in texts {
            self.graph.unclear(text);
        }
    }
}
