//! Paths, operations and their parameters.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::rules::Place;
use super::{Comparison, Document};

const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/// A path template with the names of its parameters left out: `/a/{id}` and `/a/{key}` are one.
fn shape(template: &str) -> String {
    let mut out = String::new();
    for (at, part) in template.split('{').enumerate() {
        match part.split_once('}') {
            Some((_, rest)) if at > 0 => {
                out.push_str("{}");
                out.push_str(rest);
            }
            _ => out.push_str(part),
        }
    }
    out
}

fn names(template: &str) -> Vec<&str> {
    template
        .split('{')
        .skip(1)
        .filter_map(|part| Some(part.split_once('}')?.0))
        .collect()
}

/// Path items of a document by shape: the template as written, and the item.
fn items(document: &Document) -> BTreeMap<String, (&str, &Value)> {
    let paths = document.get("paths").and_then(Value::as_object);
    let items = paths
        .into_iter()
        .flatten()
        .filter(|(template, _)| !template.starts_with("x-"));
    items
        .map(|(template, item)| (shape(template), (template.as_str(), document.resolve(item).0)))
        .collect()
}

fn operations(item: &Value) -> BTreeMap<&'static str, &Value> {
    METHODS
        .into_iter()
        .filter_map(|method| Some((method, item.get(method)?)))
        .collect()
}

impl Comparison<'_> {
    pub(super) fn paths(&mut self) {
        let (base, revision) = (items(self.base), items(self.revision));
        for shape in base.keys().chain(revision.keys()).collect::<BTreeSet<_>>() {
            match (base.get(shape), revision.get(shape)) {
                (Some((template, old)), Some((new_template, new))) => {
                    (*template).clone_into(&mut self.path);
                    self.operations((template, old), (new_template, new));
                }
                (Some((template, item)), None) => {
                    self.all_operations(
                        template,
                        item,
                        "api-path-removed-without-deprecation",
                        "the path is gone",
                    );
                }
                (None, Some((template, item))) => {
                    self.all_operations(template, item, "api-path-added", "the path is new")
                }
                (None, None) => {}
            }
        }
    }

    fn all_operations(&mut self, template: &str, item: &Value, rule: &str, text: &str) {
        template.clone_into(&mut self.path);
        for method in operations(item).keys() {
            self.operation = method.to_ascii_uppercase();
            self.report(rule, "path", text);
        }
    }

    fn operations(&mut self, old: (&str, &Value), new: (&str, &Value)) {
        let (base, revision) = (operations(old.1), operations(new.1));
        for method in METHODS {
            self.operation = method.to_ascii_uppercase();
            match (base.get(method), revision.get(method)) {
                (Some(before), Some(after)) => {
                    let before_parameters = parameters(self.base, old.1, before, &names(old.0));
                    let after_parameters = parameters(self.revision, new.1, after, &names(new.0));
                    self.parameters(&before_parameters, &after_parameters);
                    self.request_body(before.get("requestBody"), after.get("requestBody"));
                    self.responses(before.get("responses"), after.get("responses"));
                }
                (Some(_), None) => self.report("api-removed-without-deprecation", "operation", "the operation is gone"),
                (None, Some(_)) => self.report("endpoint-added", "operation", "the operation is new"),
                (None, None) => {}
            }
        }
    }

    fn parameters(&mut self, base: &Parameters<'_>, revision: &Parameters<'_>) {
        for key in base.keys().chain(revision.keys()).collect::<BTreeSet<_>>() {
            let location = format!("{} parameter `{}`", key.0, key.1);
            match (base.get(key), revision.get(key)) {
                (Some(old), Some(new)) => {
                    match (is_required(old), is_required(new)) {
                        (false, true) => self.report("request-parameter-became-required", &location, "became required"),
                        (true, false) => self.report("request-parameter-became-optional", &location, "became optional"),
                        _ => {}
                    }
                    if let (Some(old), Some(new)) = (schema_of(old), schema_of(new)) {
                        self.root(Place::RequestParameter, old, new, &location);
                    }
                }
                (Some(_), None) => self.report("request-parameter-removed", &location, "the parameter is gone"),
                (None, Some(new)) if is_required(new) => {
                    self.report(
                        "new-required-request-parameter",
                        &location,
                        "a required parameter is new",
                    );
                }
                (None, Some(_)) => {
                    self.report(
                        "new-optional-request-parameter",
                        &location,
                        "an optional parameter is new",
                    );
                }
                (None, None) => {}
            }
        }
    }
}

/// Parameters by where they stand and their name.
type Parameters<'a> = BTreeMap<(String, String), &'a Value>;

/// Parameters of an operation over those of its path; path parameters go by position, since
/// their names never leave the server.
fn parameters<'a>(document: &'a Document, item: &'a Value, operation: &'a Value, names: &[&str]) -> Parameters<'a> {
    let mut found = BTreeMap::new();
    let lists = [item.get("parameters"), operation.get("parameters")];
    for parameter in lists.into_iter().flatten().filter_map(Value::as_array).flatten() {
        let (parameter, _) = document.resolve(parameter);
        let text = |key: &str| {
            parameter
                .get(key)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let (place, mut name) = (text("in"), text("name"));
        if place == "header" {
            name.make_ascii_lowercase();
        }
        if place == "path" {
            match names.iter().position(|known| *known == name) {
                Some(at) => name = format!("{{{}}}", at + 1),
                // Not in the template: no client can send it.
                None => continue,
            }
        }
        found.insert((place, name), parameter);
    }
    found
}

fn is_required(value: &Value) -> bool {
    value.get("required") == Some(&Value::Bool(true))
}

/// The schema of a parameter or header: its own, or that of its single media type.
pub(super) fn schema_of(value: &Value) -> Option<&Value> {
    let content = || value.get("content")?.as_object()?.values().next()?.get("schema");
    value.get("schema").or_else(content)
}
