//! Terraform's and OpenTofu's state (`terraform.tfstate`, version 4): which address is which resource of a cloud.

use holdpoint_schemas::SourceError;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::CloudResource;
use crate::error::SourceResult;
use crate::json::{self, or_default};

/// Largest state in bytes.
const MAX_BYTES: usize = 64 << 20;
/// Most resources.
const MAX_RESOURCES: usize = 200_000;

/// A resource of the state: its address, and how its cloud knows it. No other value is kept: states hold secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateResource {
    /// Address, for example `module.db.aws_db_instance.ledger[0]`.
    pub address: String,
    /// Type and ids.
    pub cloud: CloudResource,
}

/// A state.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct State {
    /// Its resources, in its order; data sources aren't among them.
    pub resources: Vec<StateResource>,
}

impl State {
    /// How the cloud knows the resource at an address.
    #[must_use]
    pub fn at(&self, address: &str) -> Option<&CloudResource> {
        let found = self.resources.iter().find(|resource| resource.address == address);
        found.map(|resource| &resource.cloud)
    }

    /// The addresses of the resources with this ARN, id or self link.
    pub fn addresses_of<'a>(&'a self, id: &'a str) -> impl Iterator<Item = &'a str> {
        let with_id = self
            .resources
            .iter()
            .filter(move |resource| resource.cloud.ids.iter().any(|own| own == id));
        with_id.map(|resource| resource.address.as_str())
    }
}

#[derive(Deserialize)]
struct Document {
    #[serde(default)]
    version: Option<u64>,
    #[serde(default)]
    encrypted_data: Option<serde::de::IgnoredAny>,
    #[serde(default, deserialize_with = "or_default")]
    resources: Vec<Resource>,
}

#[derive(Deserialize)]
struct Resource {
    #[serde(default, deserialize_with = "or_default")]
    module: String,
    #[serde(default, deserialize_with = "or_default")]
    mode: String,
    #[serde(rename = "type")]
    resource_type: String,
    name: String,
    #[serde(default, deserialize_with = "or_default")]
    instances: Vec<Instance>,
}

#[derive(Deserialize)]
struct Instance {
    #[serde(default)]
    index_key: Value,
    #[serde(default)]
    deposed: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    attributes: Map<String, Value>,
}

/// Reads a state.
///
/// # Errors
/// When it is too large, not UTF-8, malformed, cut off, encrypted, of another version, or another document.
pub fn read_state(file: &str, bytes: &[u8]) -> SourceResult<State> {
    let text = json::text(file, bytes, MAX_BYTES)?;
    let document: Document = json::parse(file, text, "a Terraform state")?;
    let refused = |message: String, help: &str| Err(Box::new(SourceError::new(file, message).help(help)));
    if document.encrypted_data.is_some() {
        return refused("an encrypted state".to_owned(), "write it with `tofu state pull`");
    }
    match document.version {
        Some(4) => {}
        Some(other) => {
            return refused(
                format!("version {other} of the state, but 4 was expected"),
                "write it with `terraform state pull` of Terraform 0.12 or later",
            );
        }
        None => {
            return refused(
                "no `version`, which every Terraform state has".to_owned(),
                "write it with `terraform state pull`",
            );
        }
    }
    let mut state = State::default();
    for resource in document.resources.into_iter().filter(|r| r.mode != "data") {
        for instance in resource.instances.iter().filter(|instance| instance.deposed.is_none()) {
            if state.resources.len() >= MAX_RESOURCES {
                return refused(
                    format!("more than {MAX_RESOURCES} resources"),
                    "split the configuration",
                );
            }
            state.resources.push(StateResource {
                address: address(&resource, &instance.index_key),
                cloud: CloudResource {
                    resource_type: resource.resource_type.clone(),
                    ids: crate::plan::cloud_ids(&[&instance.attributes]),
                },
            });
        }
    }
    Ok(state)
}

fn address(resource: &Resource, index: &Value) -> String {
    let module = match resource.module.as_str() {
        "" => String::new(),
        module => format!("{module}."),
    };
    let index = match index {
        Value::Null => String::new(),
        // A JSON string is quoted as Terraform quotes a key.
        key => format!("[{key}]"),
    };
    format!("{module}{}.{}{index}", resource.resource_type, resource.name)
}
