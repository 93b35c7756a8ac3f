//! A schema as a client meets it: references followed, `allOf` taken together.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::Document;

/// Most parts of one `allOf` that are taken together.
const MAX_PARTS: usize = 200;

/// A schema with all that it takes over by `allOf`.
pub(super) struct Shape<'a> {
    parts: Vec<&'a Value>,
}

impl<'a> Shape<'a> {
    pub(super) fn of(document: &'a Document, schema: &'a Value) -> Self {
        let mut parts = Vec::new();
        let mut seen = BTreeSet::new();
        let mut waiting = vec![schema];
        while let Some(next) = waiting.pop() {
            let (resolved, reference) = document.resolve(next);
            // A schema that takes over itself adds nothing.
            let known = reference.is_some_and(|reference| !seen.insert(reference));
            if known || parts.len() >= MAX_PARTS {
                continue;
            }
            parts.push(resolved);
            // OpenAPI 3.1 lets keywords stand beside a reference.
            if reference.is_some() && next.as_object().is_some_and(|map| map.len() > 1) {
                parts.push(next);
            }
            waiting.extend(
                resolved
                    .get("allOf")
                    .and_then(Value::as_array)
                    .into_iter()
                    .flatten()
                    .rev(),
            );
        }
        Self { parts }
    }

    /// The first value of a keyword.
    pub(super) fn get(&self, keyword: &str) -> Option<&'a Value> {
        self.parts.iter().find_map(|part| part.get(keyword))
    }

    pub(super) fn flag(&self, keyword: &str) -> bool {
        self.parts
            .iter()
            .any(|part| part.get(keyword) == Some(&Value::Bool(true)))
    }

    pub(super) fn properties(&self) -> BTreeMap<&'a str, &'a Value> {
        let mut found = BTreeMap::new();
        for part in &self.parts {
            for (name, schema) in part.get("properties").and_then(Value::as_object).into_iter().flatten() {
                found.entry(name.as_str()).or_insert(schema);
            }
        }
        found
    }

    pub(super) fn required(&self) -> BTreeSet<&'a str> {
        let lists = self
            .parts
            .iter()
            .filter_map(|part| part.get("required").and_then(Value::as_array));
        lists.flatten().filter_map(Value::as_str).collect()
    }

    /// Alternatives of `oneOf` or `anyOf`.
    pub(super) fn alternatives(&self, keyword: &str) -> Option<&'a Vec<Value>> {
        self.get(keyword)
            .and_then(Value::as_array)
            .filter(|list| !list.is_empty())
    }

    /// Types without `null`; empty where any is possible. The format tells them further apart.
    pub(super) fn types(&self) -> BTreeSet<&'a str> {
        let listed = match self.get("type") {
            Some(Value::String(one)) => vec![one.as_str()],
            Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        listed.into_iter().filter(|name| *name != "null").collect()
    }

    pub(super) fn format(&self) -> Option<&'a str> {
        self.get("format").and_then(Value::as_str)
    }

    /// Whether null is possible: `nullable` in 3.0, a type `null` or an alternative of it in 3.1.
    pub(super) fn nullable(&self) -> bool {
        let is_null = |schema: &Value| schema.get("type") == Some(&Value::from("null"));
        let listed = self.get("type").and_then(Value::as_array);
        let alternatives = ["oneOf", "anyOf"]
            .into_iter()
            .filter_map(|keyword| self.alternatives(keyword));
        self.flag("nullable")
            || listed.is_some_and(|types| types.contains(&Value::from("null")))
            || alternatives.flatten().any(is_null)
    }

    /// Whether nothing is said about the type: null is possible then, too.
    pub(super) fn is_free(&self) -> bool {
        ["type", "enum", "const", "oneOf", "anyOf", "nullable"]
            .into_iter()
            .all(|keyword| self.get(keyword).is_none())
    }

    /// Listed values, without null: that is told by [`Shape::nullable`].
    pub(super) fn values(&self) -> Option<Vec<&'a Value>> {
        let list = self.get("enum").and_then(Value::as_array)?;
        Some(list.iter().filter(|value| !value.is_null()).collect())
    }
}
