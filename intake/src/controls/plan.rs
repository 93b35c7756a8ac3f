//! Claims in Terraform's JSON: a plan (`terraform show -json`), and configuration (`*.tf.json`).

use holdpoint_schemas::control::ControlKind;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

use super::claim::Claim;
use super::terraform::{claim, mentions_tag};
use super::{MAX_MARKERS, Marker};
use crate::error::SourceResult;
use crate::json;

/// Largest plan.
const MAX_PLAN_BYTES: usize = 256 << 20;

#[derive(Deserialize)]
struct Plan {
    /// Every plan has it, and other JSON hasn't.
    #[serde(rename = "format_version")]
    _version: String,
    #[serde(default)]
    resource_changes: Vec<Changed>,
    #[serde(default)]
    resource_drift: Vec<Changed>,
}

#[derive(Deserialize)]
struct Changed {
    address: String,
    change: Change,
}

#[derive(Deserialize)]
struct Change {
    #[serde(default)]
    before: Option<Side>,
    #[serde(default)]
    after: Option<Side>,
}

/// The values of a resource that hold tags.
#[derive(Deserialize)]
struct Side {
    #[serde(default)]
    tags: Value,
    #[serde(default)]
    tags_all: Value,
    #[serde(default)]
    labels: Value,
    #[serde(default)]
    user_labels: Value,
    #[serde(default)]
    tag: Value,
    #[serde(default)]
    metadata: Value,
}

/// The claims that resources carry by their tags, in a Terraform plan as JSON
/// (`terraform show -json`), before or after the change. Each holds an address.
///
/// # Errors
/// When it isn't such a plan.
pub fn plan_markers(repo: &str, file: &str, bytes: &[u8]) -> SourceResult<Vec<Marker>> {
    let text = json::text(file, bytes, MAX_PLAN_BYTES)?;
    let plan: Plan = json::parse(file, text, "a Terraform plan as JSON")?;
    let mut found: Vec<Marker> = Vec::new();
    for resource in plan.resource_changes.iter().chain(&plan.resource_drift) {
        let sides = [&resource.change.before, &resource.change.after];
        for claim in sides.into_iter().flatten().flat_map(Side::claims) {
            let mut marker = claim.marker(repo, &resource.address, 0);
            marker.control.id = format!("{}:{}", resource.address, marker.control.kind.as_str());
            marker.control.address = marker.control.path.take();
            marker.control.owner = "whoever tagged the resource".to_owned();
            if !found.contains(&marker) {
                found.push(marker);
            }
            if found.len() >= MAX_MARKERS {
                return Ok(found);
            }
        }
    }
    Ok(found)
}

/// Configuration as JSON: kind, then name, then the values of a resource, or several in a list.
#[derive(Deserialize)]
struct Configuration {
    #[serde(default)]
    resource: BTreeMap<String, BTreeMap<String, Value>>,
}

/// Adds the claims of tags in a `*.tf.json` file, each with its address. One that can't be parsed and
/// may hold a claim is held whole.
pub(super) fn refine(repo: &str, path: &str, text: &str, found: &mut Vec<Marker>) {
    if !mentions_tag(text) {
        return;
    }
    let Ok(configuration) = json::parse::<Configuration>(path, text, "Terraform configuration as JSON") else {
        let mut claim = Claim::of_kind(ControlKind::HandsOff, "");
        claim.unclear = Some("the file can't be parsed, and mentions a control".to_owned());
        found.push(claim.marker(repo, path, 1));
        return;
    };
    for (kind, named) in configuration.resource {
        for (name, value) in named {
            let values = match value {
                Value::Array(values) => values,
                value => vec![value],
            };
            let sides = values
                .into_iter()
                .filter_map(|value| serde_json::from_value::<Side>(value).ok());
            for claim in sides
                .flat_map(|side| side.claims())
                .take(MAX_MARKERS.saturating_sub(found.len()))
            {
                // The values don't say their lines.
                let mut marker = claim.marker(repo, path, 1);
                marker.control.id = format!("{path}:{kind}.{name}:{}", marker.control.kind.as_str());
                marker.control.address = Some(format!("{kind}.{name}"));
                found.push(marker);
            }
        }
    }
}

impl Side {
    fn claims(&self) -> Vec<Claim> {
        let mut claims = Vec::new();
        for map in [&self.tags, &self.tags_all, &self.labels, &self.user_labels] {
            claims.extend(
                map.as_object()
                    .into_iter()
                    .flatten()
                    .filter_map(|(name, value)| of_value(name, value)),
            );
        }
        // Auto-scaling groups have a list of `{key, value}`, Kubernetes resources a list of metadata.
        for entry in self.tag.as_array().into_iter().flatten() {
            let name = entry.get("key").and_then(Value::as_str);
            claims.extend(
                name.zip(entry.get("value"))
                    .and_then(|(name, value)| of_value(name, value)),
            );
        }
        for entry in self.metadata.as_array().into_iter().flatten() {
            for map in ["annotations", "labels"]
                .iter()
                .filter_map(|key| entry.get(key)?.as_object())
            {
                claims.extend(map.iter().filter_map(|(name, value)| of_value(name, value)));
            }
        }
        claims
    }
}

fn of_value(name: &str, value: &Value) -> Option<Claim> {
    match value {
        Value::Null => None,
        Value::String(text) => claim(name, Some(text)),
        other => claim(name, Some(&other.to_string())),
    }
}
