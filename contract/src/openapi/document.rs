//! A parsed description and its references.

use holdpoint_schemas::SourceError;
use serde_json::Value;

use crate::{ContractError, text};

/// Longest chain of references to references.
const MAX_HOPS: usize = 32;
/// Deepest nesting that is searched for references.
const MAX_DEPTH: usize = 200;

/// An OpenAPI description.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    root: Value,
}

impl Document {
    /// Reads YAML or JSON. `file` is its name for messages.
    ///
    /// # Errors
    /// When the text can't be parsed or is too large, isn't OpenAPI 3.0 or 3.1, or refers to
    /// something that isn't in it: what can't be seen can't be compared.
    pub fn parse(file: &str, text: &str) -> Result<Self, ContractError> {
        let document = Self {
            root: text::read_value(file, text)?,
        };
        let version = document.root.get("openapi").and_then(Value::as_str).unwrap_or_default();
        if !version.starts_with("3.0") && !version.starts_with("3.1") {
            let message = match document.root.get("swagger") {
                Some(_) => "this is Swagger 2.0, expected OpenAPI 3.0 or 3.1".to_owned(),
                None => format!(
                    "expected `openapi: 3.0.x` or `3.1.x`, found `{}`",
                    version.escape_debug()
                ),
            };
            return Err(fault(file, text, "openapi", message, "convert the description to OpenAPI 3").into());
        }
        if document
            .root
            .get("paths")
            .is_some_and(|paths| !paths.is_object() && !paths.is_null())
        {
            let help = "expected a map of path templates";
            return Err(fault(file, text, "paths", "`paths` is no object".to_owned(), help).into());
        }
        document.check_references(file, text, &document.root, 0)?;
        Ok(document)
    }

    pub(super) fn get(&self, key: &str) -> Option<&Value> {
        self.root.get(key)
    }

    /// Follows references; gives the value and the last reference followed. Parsing has checked
    /// that each leads somewhere; a circle of mere references ends in what was given.
    pub(super) fn resolve<'a>(&'a self, value: &'a Value) -> (&'a Value, Option<&'a str>) {
        let (mut value, mut last) = (value, None);
        for _ in 0..MAX_HOPS {
            let Some(reference) = value.get("$ref").and_then(Value::as_str) else {
                break;
            };
            let Some(target) = self.target(reference) else { break };
            (value, last) = (target, Some(reference));
        }
        (value, last)
    }

    fn target(&self, reference: &str) -> Option<&Value> {
        let pointer = reference.strip_prefix('#')?;
        // A pointer in a URI fragment may be percent-encoded (RFC 6901 §6).
        let decoded = pointer
            .replace("%7B", "{")
            .replace("%7D", "}")
            .replace("%20", " ")
            .replace("%25", "%");
        self.root.pointer(&decoded).or_else(|| self.root.pointer(pointer))
    }

    fn check_references(&self, file: &str, text: &str, value: &Value, depth: usize) -> Result<(), ContractError> {
        if depth > MAX_DEPTH {
            return Err(SourceError::new(file, "the description is nested too deeply")
                .help("flatten it")
                .into());
        }
        match value {
            Value::Object(map) => {
                if let Some(reference) = map.get("$ref").and_then(Value::as_str)
                    && self.target(reference).is_none()
                {
                    let shown = reference.escape_debug();
                    let (message, help) = match reference.starts_with('#') {
                        true => (format!("reference `{shown}` leads nowhere"), "add what it refers to"),
                        false => (
                            format!("reference `{shown}` leads out of the file"),
                            "bundle the description into one file",
                        ),
                    };
                    return Err(fault(file, text, reference, message, help).into());
                }
                // Examples and constants are data: a `$ref` in them is no reference.
                let data = ["example", "examples", "default", "enum", "const", "value"];
                for (_, inner) in map.iter().filter(|(key, inner)| {
                    !key.starts_with("x-") && (!data.contains(&key.as_str()) || inner.get("$ref").is_some())
                }) {
                    self.check_references(file, text, inner, depth + 1)?;
                }
                Ok(())
            }
            Value::Array(list) => list
                .iter()
                .try_for_each(|inner| self.check_references(file, text, inner, depth + 1)),
            _ => Ok(()),
        }
    }
}

/// An error at the first occurrence of a word.
fn fault(file: &str, text: &str, word: &str, message: String, help: &str) -> SourceError {
    let error = SourceError::new(file, message).help(help);
    match text.find(word).and_then(|at| text.get(..at)) {
        Some(before) => {
            let line = before.matches('\n').count() + 1;
            let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
            error.at(text, line, column)
        }
        None => error,
    }
}
