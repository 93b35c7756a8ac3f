//! Kubernetes objects, lists of them taken apart.

use serde_json::Value;
use std::collections::BTreeMap;

use super::super::document::Document;

/// Deepest lists of lists.
const MAX_LISTS: usize = 4;

/// An object.
pub struct Object<'a> {
    pub file: &'a str,
    pub version: &'a str,
    pub kind: &'a str,
    /// Empty where the manifest names none.
    pub namespace: &'a str,
    pub name: &'a str,
    pub value: &'a Value,
}

impl<'a> Object<'a> {
    /// Text at a JSON pointer.
    pub fn text(&self, path: &str) -> Option<&'a str> {
        self.value.pointer(path)?.as_str()
    }

    /// A map of texts at a JSON pointer: labels, selectors.
    pub fn words(&self, path: &str) -> BTreeMap<&'a str, &'a str> {
        words(self.value.pointer(path))
    }

    /// A list at a JSON pointer.
    pub fn list(&self, path: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
        list(self.value, path)
    }
}

/// Entries of a map that are texts.
pub fn words(value: Option<&Value>) -> BTreeMap<&str, &str> {
    let map = value.and_then(Value::as_object);
    map.into_iter()
        .flatten()
        .filter_map(|(key, value)| Some((key.as_str(), value.as_str()?)))
        .collect()
}

/// A list at a JSON pointer; empty where there is none.
pub fn list<'a>(value: &'a Value, path: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
    value.pointer(path).and_then(Value::as_array).into_iter().flatten()
}

/// All objects of all documents.
pub fn objects<'a>(documents: &[&'a Document<'_>]) -> Vec<Object<'a>> {
    let mut found = Vec::new();
    for document in documents {
        for value in document.yaml() {
            collect(document.name, value, &mut found, 0);
        }
    }
    found
}

fn collect<'a>(file: &'a str, value: &'a Value, found: &mut Vec<Object<'a>>, depth: usize) {
    let text = |path: &str| value.pointer(path).and_then(Value::as_str);
    let (Some(version), Some(kind)) = (text("/apiVersion"), text("/kind")) else {
        return;
    };
    if kind.ends_with("List") && depth < MAX_LISTS {
        for item in list(value, "/items") {
            collect(file, item, found, depth + 1);
        }
    }
    let Some(name) = text("/metadata/name") else { return };
    found.push(Object {
        file,
        version,
        kind,
        namespace: text("/metadata/namespace").unwrap_or_default(),
        name,
        value,
    });
}
