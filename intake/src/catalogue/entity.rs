//! Backstage entities, as far as they are read (descriptor format `backstage.io/v1alpha1`).

use holdpoint_schemas::SourceError;
use holdpoint_schemas::service::ServiceId;
use serde::Deserialize;
use serde_yaml::Spanned;
use std::collections::BTreeMap;

use crate::error::SourceResult;
use crate::estate::at;

/// Kinds of entities that matter here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A service.
    Component,
    /// A database, bucket, queue.
    Resource,
    /// What a component provides.
    Api,
    /// A group of components.
    System,
}

impl Kind {
    /// From a kind as written in an entity or a reference; Backstage compares without case.
    pub fn of(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "component" => Some(Self::Component),
            "resource" => Some(Self::Resource),
            "api" => Some(Self::Api),
            "system" => Some(Self::System),
            _ => None,
        }
    }
}

/// One document of a catalogue file. Backstage allows more fields than are read.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Entity {
    api_version: String,
    kind: String,
    /// Name and annotations.
    pub metadata: Metadata,
    /// Relations.
    #[serde(default)]
    pub spec: Spec,
}

#[derive(Debug, Deserialize)]
pub struct Metadata {
    pub name: Spanned<String>,
    pub title: Option<String>,
    namespace: Option<String>,
    #[serde(default)]
    pub annotations: BTreeMap<String, Spanned<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Spec {
    #[serde(default, rename = "type")]
    pub kind: String,
    pub owner: Option<String>,
    pub system: Option<String>,
    #[serde(default)]
    pub depends_on: Vec<String>,
    #[serde(default)]
    pub dependency_of: Vec<String>,
    #[serde(default)]
    pub provides_apis: Vec<String>,
    #[serde(default)]
    pub consumes_apis: Vec<String>,
}

impl Entity {
    /// Its kind, if it is one that matters here.
    pub fn known_kind(&self) -> Option<Kind> {
        Kind::of(&self.kind).filter(|_| self.api_version.starts_with("backstage.io/"))
    }

    /// Its namespace.
    pub fn namespace(&self) -> &str {
        self.metadata.namespace.as_deref().unwrap_or("default")
    }

    /// Its id: the name, after the namespace where that isn't the default one.
    pub fn id(&self, file: &str, text: &str) -> SourceResult<ServiceId> {
        let name = &self.metadata.name;
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if name.value.is_empty() || name.value.len() > 63 || !name.value.chars().all(plain) {
            let error = SourceError::new(file, format!("`{}` isn't an entity's name", name.value))
                .help("Backstage allows letters, digits, `-`, `_` and `.`, at most 63");
            return Err(Box::new(at(error, text, name.referenced)));
        }
        Ok(qualified(self.namespace(), &name.value))
    }
}

/// The id of an entity; lower case, since Backstage compares without case.
pub fn qualified(namespace: &str, name: &str) -> ServiceId {
    let (namespace, name) = (namespace.to_ascii_lowercase(), name.to_ascii_lowercase());
    if namespace == "default" {
        ServiceId(name)
    } else {
        ServiceId(format!("{namespace}/{name}"))
    }
}
