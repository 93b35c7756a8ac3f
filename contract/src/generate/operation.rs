//! Requests of the operations of a description.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value;

use super::schema::{self, Schemas, Which};
use super::{Amount, Generated, Random};
use crate::Gap;
use crate::wire::{Take, TakeFrom, WireRequest};

/// Methods in the order in which they are asked: what creates comes first, what removes last.
const METHODS: [&str; 7] = ["post", "put", "get", "head", "options", "patch", "delete"];
/// Most invalid requests of one operation.
const MAX_BROKEN: usize = 24;

/// One operation.
pub(super) struct Operation<'a> {
    template: &'a str,
    method: &'static str,
    item: &'a Value,
    own: &'a Value,
}

pub(super) struct Maker<'a> {
    document: &'a Value,
    schemas: Schemas<'a>,
    random: Random,
    amount: Amount,
    prefix: String,
    pub(super) made: Generated,
}

/// A request's parts before they are put together.
#[derive(Default, Clone)]
struct Parts {
    path: BTreeMap<String, String>,
    query: Vec<(String, String)>,
    headers: BTreeMap<String, Vec<String>>,
    body: Option<Value>,
}

impl<'a> Maker<'a> {
    pub(super) fn new(document: &'a Value, seed: u64, amount: Amount) -> Self {
        Self {
            document,
            schemas: Schemas::new(document),
            random: Random(seed),
            amount,
            prefix: prefix(document),
            made: Generated::default(),
        }
    }

    /// All operations, by path, in the order in which they are asked.
    pub(super) fn operations(&mut self) -> Vec<Operation<'a>> {
        let mut found = Vec::new();
        let paths = self.document.get("paths").and_then(Value::as_object);
        for (template, item) in paths.into_iter().flatten().filter(|(path, _)| path.starts_with('/')) {
            let Some(item) = self.schemas.resolve(item) else {
                self.gap(template, "its reference leads nowhere");
                continue;
            };
            found.extend(METHODS.into_iter().filter_map(|method| {
                let own = item.get(method)?;
                Some(Operation {
                    template,
                    method,
                    item,
                    own,
                })
            }));
        }
        found
    }

    fn gap(&mut self, place: &str, text: &str) {
        self.made.gaps.push(Gap {
            place: place.to_owned(),
            text: text.to_owned(),
        });
    }

    /// Requests of one operation, each for itself.
    pub(super) fn single(&mut self, operation: &Operation<'a>) {
        let mut kinds = vec![("least", Which::Least), ("most", Which::Most)];
        kinds.extend((0..self.amount.random).map(|_| ("any", Which::Any)));
        let mut first = None;
        for (name, which) in kinds {
            let Some(parts) = self.parts(operation, which) else {
                continue;
            };
            self.push(operation, name, &parts, None, Vec::new());
            first.get_or_insert(parts);
        }
        let Some(valid) = first else {
            let place = format!("{} {}", operation.method.to_uppercase(), operation.template);
            self.gap(&place, "no valid request could be made");
            return;
        };
        for (what, parts) in self.broken(operation, &valid).into_iter().take(MAX_BROKEN) {
            self.push(operation, &what, &parts, None, Vec::new());
        }
        if valid.body.is_some() {
            self.push(
                operation,
                "without a body",
                &Parts {
                    body: None,
                    ..valid.clone()
                },
                None,
                Vec::new(),
            );
            self.push(operation, "a body that is no JSON", &valid, None, Vec::new());
            if let Some(request) = self.made.requests.last_mut() {
                request.body = b"{".to_vec();
            }
        }
    }

    /// Create, look, change, look, remove, look: for each path that lies below one where something is created.
    pub(super) fn sequences(&mut self, operations: &[Operation<'a>]) {
        for creating in operations.iter().filter(|operation| operation.method == "post") {
            let below = |operation: &&Operation<'a>| {
                operation
                    .template
                    .strip_prefix(creating.template.trim_end_matches('/'))
                    .and_then(|rest| rest.strip_prefix("/{"))
                    .is_some_and(|rest| rest.ends_with('}') && !rest.contains('/'))
            };
            let children: Vec<&Operation<'a>> = operations.iter().filter(below).collect();
            let Some(parameter) = children.first().and_then(|child| last_parameter(child.template)) else {
                continue;
            };
            let Some(from) = self.created_id(creating, parameter) else {
                continue;
            };
            let Some(parts) = self.parts(creating, Which::Most) else {
                continue;
            };
            let session = format!("create {}", creating.template);
            let name = format!("made.{}", self.made.requests.len() + 1);
            let take = Take {
                name: name.clone(),
                from,
            };
            self.push(creating, "create", &parts, Some(&session), vec![take]);
            for method in ["get", "put", "get", "patch", "get", "delete", "get"] {
                let Some(child) = children.iter().find(|child| child.method == method) else {
                    continue;
                };
                if let Some(mut parts) = self.parts(child, Which::Most) {
                    parts.path.insert(parameter.to_owned(), format!("{{{{{name}}}}}"));
                    self.push(
                        child,
                        &format!("{method} what was created"),
                        &parts,
                        Some(&session),
                        Vec::new(),
                    );
                }
            }
        }
    }

    /// Where the answer of a creating operation says the new id.
    fn created_id(&self, operation: &Operation<'a>, parameter: &str) -> Option<TakeFrom> {
        let responses = operation.own.get("responses")?.as_object()?;
        let (_, response) = responses.iter().find(|(status, _)| status.starts_with('2'))?;
        let response = self.schemas.resolve(response)?;
        let schema = content_schema(response).and_then(|schema| self.schemas.resolve(schema));
        let properties = schema
            .and_then(|schema| schema.get("properties"))
            .and_then(Value::as_object);
        let names = [parameter, "id", "uuid", "key"];
        let field = properties.and_then(|properties| names.into_iter().find(|name| properties.contains_key(*name)));
        Some(match field {
            Some(field) => TakeFrom::Body(format!("/{field}")),
            None => TakeFrom::HeaderSegment("location".to_owned()),
        })
    }

    fn parameters(&self, operation: &Operation<'a>) -> Option<Vec<&'a Value>> {
        let lists = [operation.item.get("parameters"), operation.own.get("parameters")];
        let mut found: BTreeMap<(&str, &str), &'a Value> = BTreeMap::new();
        for parameter in lists.into_iter().flatten().filter_map(Value::as_array).flatten() {
            let parameter = self.schemas.resolve(parameter)?;
            let text = |key: &str| parameter.get(key).and_then(Value::as_str).unwrap_or_default();
            found.insert((text("in"), text("name")), parameter);
        }
        Some(found.into_values().collect())
    }

    /// Parts of a valid request. `None`: something that it needs can't be made.
    fn parts(&mut self, operation: &Operation<'a>, which: Which) -> Option<Parts> {
        let mut parts = Parts::default();
        for parameter in self.parameters(operation)? {
            let text = |key: &str| parameter.get(key).and_then(Value::as_str).unwrap_or_default();
            let place = text("in");
            let required = place == "path" || parameter.get("required") == Some(&Value::Bool(true));
            let wanted = match which {
                Which::Least => false,
                Which::Most => true,
                Which::Any => self.random.below(2) == 0,
            };
            if !(required || wanted) || place == "cookie" {
                continue;
            }
            // In 2.0 the parameter itself is the schema.
            let schema = content_schema(parameter).unwrap_or(parameter);
            let given = parameter.get("example").or_else(|| schema.get("example")).cloned();
            let made = given.or_else(|| self.schemas.value(schema, which, &mut self.random));
            let Some(value) = made else {
                if required {
                    return None;
                }
                continue;
            };
            parts.put(place, text("name"), value);
        }
        if let Some(body) = operation.own.get("requestBody") {
            let body = self.schemas.resolve(body)?;
            let required = body.get("required") == Some(&Value::Bool(true));
            if let Some(schema) = content_schema(body).filter(|_| required || which != Which::Least) {
                parts.body = Some(self.schemas.value(schema, which, &mut self.random)?);
            }
        }
        Some(parts)
    }

    /// The valid request with one thing wrong.
    fn broken(&self, operation: &Operation<'a>, valid: &Parts) -> Vec<(String, Parts)> {
        let mut found = Vec::new();
        for parameter in self.parameters(operation).unwrap_or_default() {
            let text = |key: &str| parameter.get(key).and_then(Value::as_str).unwrap_or_default();
            let (place, name) = (text("in"), text("name"));
            if !matches!(place, "path" | "query") {
                continue;
            }
            let schema = content_schema(parameter).unwrap_or(parameter);
            let schema = self.schemas.resolve(schema).unwrap_or(schema);
            let sample = self
                .schemas
                .value(schema, Which::Least, &mut Random(0))
                .unwrap_or(Value::Null);
            for (what, wrong) in schema::broken(&self.schemas, schema, &sample) {
                // Every text is a text in an address.
                if !(sample.is_string() && wrong.is_number() || place == "path" && wrong == "") {
                    let mut parts = valid.clone();
                    parts.query.retain(|(known, _)| known != name);
                    parts.put(place, name, wrong);
                    found.push((format!("parameter `{name}` {what}"), parts));
                }
            }
            if place == "query" && parameter.get("required") == Some(&Value::Bool(true)) {
                let mut parts = valid.clone();
                parts.query.retain(|(known, _)| known != name);
                found.push((format!("without the parameter `{name}`"), parts));
            }
        }
        let body = operation
            .own
            .get("requestBody")
            .and_then(|body| self.schemas.resolve(body));
        let schema = body
            .and_then(content_schema)
            .and_then(|schema| self.schemas.resolve(schema));
        if let (Some(schema), Some(value)) = (schema, &valid.body) {
            for (what, wrong) in schema::broken(&self.schemas, schema, value) {
                let mut parts = valid.clone();
                parts.body = Some(wrong);
                found.push((format!("body {what}"), parts));
            }
        }
        found
    }

    fn push(&mut self, operation: &Operation<'a>, what: &str, parts: &Parts, session: Option<&str>, takes: Vec<Take>) {
        let mut path = format!("{}{}", self.prefix, operation.template);
        for (name, value) in &parts.path {
            path = path.replace(&format!("{{{name}}}"), value);
        }
        // A parameter that isn't described still needs a value.
        while let Some((head, rest)) = split_parameter(&path) {
            path = format!("{head}1{rest}");
        }
        let method = operation.method.to_ascii_uppercase();
        let query: Vec<String> = parts
            .query
            .iter()
            .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
            .collect();
        let mut headers = parts.headers.clone();
        headers.insert("accept".to_owned(), vec!["application/json, */*".to_owned()]);
        if parts.body.is_some() {
            headers.insert("content-type".to_owned(), vec!["application/json".to_owned()]);
        }
        self.made.requests.push(WireRequest {
            label: format!("{method} {}: {what}", operation.template),
            method,
            path,
            query: (!query.is_empty()).then(|| query.join("&")),
            headers,
            body: parts
                .body
                .as_ref()
                .map(|body| body.to_string().into_bytes())
                .unwrap_or_default(),
            session: session.map(str::to_owned),
            takes,
        });
    }
}

impl Parts {
    fn put(&mut self, place: &str, name: &str, value: Value) {
        let plain = |value: &Value| match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        match place {
            "path" => drop(self.path.insert(name.to_owned(), encode(&plain(&value)))),
            // The default style of queries: one pair per element (OpenAPI 3.0 §4.7.12.2, `form` exploded).
            "query" => match value {
                Value::Array(list) => self
                    .query
                    .extend(list.iter().map(|value| (name.to_owned(), plain(value)))),
                value => self.query.push((name.to_owned(), plain(&value))),
            },
            "header" => {
                let text: String = plain(&value)
                    .chars()
                    .filter(|c| c.is_ascii_graphic() || *c == ' ')
                    .collect();
                self.headers.insert(name.to_ascii_lowercase(), vec![text]);
            }
            "body" => self.body = Some(value),
            _ => {}
        }
    }
}

/// The schema of a parameter, body or response: its own, or that of its JSON media type.
fn content_schema(value: &Value) -> Option<&Value> {
    let content = || {
        let media = value.get("content")?.as_object()?;
        media.iter().find(|(name, _)| name.contains("json"))?.1.get("schema")
    };
    value.get("schema").or_else(content)
}

/// The path that all others lie under: of the first server in 3.x, `basePath` in 2.0.
fn prefix(document: &Value) -> String {
    let server = document.pointer("/servers/0/url").and_then(Value::as_str);
    let path = match server.map(|url| url.split_once("://").map_or(url, |(_, rest)| rest)) {
        Some(rest) => rest.find('/').and_then(|at| rest.get(at..)).unwrap_or_default(),
        None => document.get("basePath").and_then(Value::as_str).unwrap_or_default(),
    };
    let plain = path.starts_with('/') && !path.contains('{');
    if plain {
        path.trim_end_matches('/').to_owned()
    } else {
        String::new()
    }
}

fn last_parameter(template: &str) -> Option<&str> {
    template.rsplit_once('{')?.1.strip_suffix('}')
}

/// Around the first `{NAME}` that is left, but for `{{NAME}}`.
fn split_parameter(path: &str) -> Option<(String, String)> {
    let mut from = 0;
    loop {
        let at = from + path.get(from..)?.find('{')?;
        if path.get(at..)?.starts_with("{{") {
            from = at + path.get(at..)?.find("}}")? + 2;
            continue;
        }
        let end = at + path.get(at..)?.find('}')?;
        return Some((path.get(..at)?.to_owned(), path.get(end + 1..)?.to_owned()));
    }
}

/// Percent-encodes all but the unreserved characters of RFC 3986 §2.3.
fn encode(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}
