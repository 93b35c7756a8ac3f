//! A file, parsed as far as it takes to tell formats apart.

use serde_json::Value;

use super::MAX_TOPOLOGY_BYTES;
use super::variables::{self, Variables};
use crate::error::SourceResult;
use crate::estate::read_yaml_documents;
use crate::json::{self, Outline};

/// A file.
pub struct Document<'a> {
    /// Its name: a path.
    pub name: &'a str,
    pub text: &'a str,
    pub content: Content,
}

/// What is in it.
pub enum Content {
    /// Backstage entities: their reader wants the text, for the places of mistakes.
    Entities,
    /// YAML documents, or a JSON document of a kind that is also written in YAML.
    Yaml(Vec<Value>),
    /// JSON.
    Json(Outline),
    /// Lines of `NAME=value`.
    Variables(Variables),
}

impl<'a> Document<'a> {
    /// Parses a file.
    pub fn read(name: &'a str, bytes: &'a [u8]) -> SourceResult<Self> {
        let text = json::text(name, bytes, MAX_TOPOLOGY_BYTES)?;
        let content = if let Some(variables) = is_env_file(name).then(|| variables::read(text)).flatten() {
            Content::Variables(variables)
        } else if text.trim_start().starts_with(['{', '[']) && !is_yaml(name) {
            let outline: Outline = json::parse(name, text, "a service graph in JSON")?;
            if outline.has(&["apiVersion", "kind"]) || outline.has(&["services"]) {
                Content::Yaml(vec![json::parse_again(name, text, "an object in JSON")?])
            } else {
                Content::Json(outline)
            }
        } else if has_entities(text) {
            Content::Entities
        } else {
            Content::Yaml(read_yaml_documents(name, text)?)
        };
        Ok(Self { name, text, content })
    }

    /// YAML documents in it.
    pub fn yaml(&self) -> &[Value] {
        match &self.content {
            Content::Yaml(documents) => documents,
            _ => &[],
        }
    }

    /// The outline of a JSON document.
    pub fn outline(&self) -> Option<&Outline> {
        match &self.content {
            Content::Json(outline) => Some(outline),
            _ => None,
        }
    }

    /// Whether it only gives variables to others.
    pub fn is_variables(&self) -> bool {
        matches!(self.content, Content::Variables(_))
    }

    /// Parses JSON of one shape.
    pub fn json<T: serde::Deserialize<'a>>(&self, expected: &str) -> SourceResult<T> {
        json::parse_again(self.name, self.text, expected)
    }
}

/// The folder that a file is in; empty for none.
pub fn folder(name: &str) -> &str {
    name.rfind('/').and_then(|slash| name.get(..slash)).unwrap_or_default()
}

/// The last part of a path.
pub fn base(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

/// A path as written in a file of `folder`, without `.` and `..`.
pub fn resolve(folder: &str, path: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/").trim_start_matches('/').to_owned()
}

fn is_yaml(name: &str) -> bool {
    let ending = base(name).rsplit('.').next().unwrap_or_default();
    ending.eq_ignore_ascii_case("yaml") || ending.eq_ignore_ascii_case("yml")
}

fn is_env_file(name: &str) -> bool {
    let base = base(name);
    base == ".env" || base.starts_with(".env.") || base.ends_with(".env")
}

fn has_entities(text: &str) -> bool {
    text.lines()
        .any(|line| line.starts_with("apiVersion:") && line.contains("backstage.io/"))
}
