//! The JSON of a plan.

use holdpoint_schemas::SourceError;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::change::{Action, ResourceChange};
use super::kind::CriticalKind;
use super::{Plan, PlanSummary};
use crate::error::SourceResult;
use crate::json::{self, or_default};

/// Largest plan in bytes: a plan of ten thousand resources with their whole prior state has about 60 MB.
const MAX_BYTES: usize = 64 << 20;
/// Most resources: providers slow down long before.
const MAX_RESOURCES: usize = 200_000;
/// Most gaps that are listed.
const MAX_GAPS: usize = 100;

#[derive(Deserialize)]
struct Document {
    format_version: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    errored: bool,
    #[serde(default)]
    complete: Option<bool>,
    #[serde(default, deserialize_with = "or_default")]
    resource_changes: Vec<Resource>,
    #[serde(default, deserialize_with = "or_default")]
    resource_drift: Vec<Resource>,
    #[serde(default, deserialize_with = "or_default")]
    deferred_changes: Vec<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct Resource {
    address: String,
    #[serde(default)]
    previous_address: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    mode: String,
    #[serde(default, rename = "type", deserialize_with = "or_default")]
    resource_type: String,
    #[serde(default)]
    deposed: Option<String>,
    change: Change,
}

#[derive(Deserialize)]
struct Change {
    actions: Vec<String>,
    #[serde(default)]
    before: Value,
    #[serde(default)]
    after: Value,
    #[serde(default)]
    before_sensitive: Value,
    #[serde(default)]
    after_sensitive: Value,
    #[serde(default)]
    after_unknown: Value,
    #[serde(default)]
    importing: Option<serde::de::IgnoredAny>,
}

/// Reads a plan.
///
/// # Errors
/// When it is too large, not UTF-8 (for example the plan file itself), malformed, cut off, in a format of another major
/// version, or another document.
pub fn read_plan(file: &str, bytes: &[u8]) -> SourceResult<Plan> {
    if bytes.starts_with(b"PK\x03\x04") {
        return Err(Box::new(
            SourceError::new(file, "a saved plan file, but its JSON was expected")
                .help("write it with `terraform show -json PLAN`"),
        ));
    }
    let text = json::text(file, bytes, MAX_BYTES)?;
    from_text(file, text)
}

/// Reads a plan's text.
pub(crate) fn from_text(file: &str, text: &str) -> SourceResult<Plan> {
    let document: Document = json::parse(file, text, "a Terraform plan in JSON")?;
    let major = document
        .format_version
        .as_deref()
        .and_then(|version| version.split('.').next());
    if !matches!(major, Some("0" | "1")) {
        let message = match &document.format_version {
            Some(version) => format!("plan format `{version}`, but 0.x or 1.x was expected"),
            None => "no `format_version`, which every Terraform plan has".to_owned(),
        };
        return Err(Box::new(
            SourceError::new(file, message).help("write it with `terraform show -json PLAN`"),
        ));
    }
    let resources = document.resource_changes.len() + document.resource_drift.len();
    if resources > MAX_RESOURCES {
        let message = format!("{resources} resources, but at most {MAX_RESOURCES} are read");
        return Err(Box::new(
            SourceError::new(file, message).help("split the configuration"),
        ));
    }
    let mut plan = Plan {
        summary: PlanSummary::default(),
        changes: Vec::new(),
        drift: Vec::new(),
        forgets: Vec::new(),
        gaps: Vec::new(),
    };
    if document.errored {
        plan.gaps
            .push("the plan ended with an error: there may be more than it shows".to_owned());
    }
    let deferred = document.deferred_changes.len();
    if deferred > 0 || document.complete == Some(false) {
        plan.gaps
            .push(format!("the plan is not complete: {deferred} changes are put off"));
    }
    for resource in document.resource_changes {
        take_change(&mut plan, resource);
    }
    for resource in document.resource_drift {
        take_drift(&mut plan, resource);
    }
    Ok(plan)
}

fn take_change(plan: &mut Plan, resource: Resource) {
    if !is_managed(plan, &resource) {
        return;
    }
    let Some(change) = understood(plan, resource) else {
        return;
    };
    let summary = &mut plan.summary;
    summary.imports += usize::from(change.imported);
    match change.action {
        Action::NoOp if !change.imported && change.previous_address.is_none() => return,
        Action::NoOp | Action::Read => {}
        Action::Create => summary.add += 1,
        Action::Update => summary.change += 1,
        Action::Delete => {
            summary.destroy += 1;
            add_once(&mut summary.destroys, &change.address);
        }
        Action::Replace => {
            summary.add += 1;
            summary.destroy += 1;
            add_once(&mut summary.replaces, &change.address);
        }
        Action::Forget => add_once(&mut plan.forgets, &change.address),
        Action::ReplaceAndForget => {
            summary.add += 1;
            add_once(&mut summary.replaces, &change.address);
            add_once(&mut plan.forgets, &change.address);
        }
    }
    plan.changes.push(change);
}

fn take_drift(plan: &mut Plan, resource: Resource) {
    if !is_managed(plan, &resource) {
        return;
    }
    let Some(change) = understood(plan, resource) else {
        return;
    };
    if change.action != Action::NoOp {
        add_once(&mut plan.summary.drift, &change.address);
        plan.drift.push(change);
    }
}

/// Data sources are read and dropped without touching anything; ephemeral resources live only while Terraform runs.
/// A mode that isn't known may be of something that is touched.
fn is_managed(plan: &mut Plan, resource: &Resource) -> bool {
    match resource.mode.as_str() {
        "" | "managed" => return true,
        "data" | "ephemeral" => {}
        _ => add_gap(plan, &resource.address, "has a mode that isn't known"),
    }
    false
}

/// Notes what isn't understood of a resource.
fn add_gap(plan: &mut Plan, address: &str, what: &str) {
    if plan.gaps.len() < MAX_GAPS {
        let address: String = address.chars().take(200).collect();
        plan.gaps.push(format!("`{address}` {what}"));
    }
}

/// The addresses are in the plan's order, so that instances of one address stand together.
fn add_once(addresses: &mut Vec<String>, address: &str) {
    if addresses.last().is_none_or(|last| last != address) {
        addresses.push(address.to_owned());
    }
}

fn understood(plan: &mut Plan, resource: Resource) -> Option<ResourceChange> {
    let Some(action) = Action::of(&resource.change.actions) else {
        add_gap(plan, &resource.address, "has actions that aren't known");
        return None;
    };
    let change = resource.change;
    if action == Action::Update && !(change.before.is_object() && change.after.is_object()) {
        add_gap(plan, &resource.address, "is changed, but not from what to what");
    }
    let (mut before, mut after) = (object(change.before), object(change.after));
    let mut attributes: Vec<String> = Vec::new();
    let mut hidden: Vec<String> = Vec::new();
    let names = before.keys().chain(after.keys()).chain(keys(&change.after_unknown));
    for name in names {
        let unknown = change.after_unknown.get(name).is_some_and(marks_any);
        let differs = unknown || before.get(name) != after.get(name);
        let sensitive = [&change.before_sensitive, &change.after_sensitive]
            .iter()
            .any(|marks| **marks == Value::Bool(true) || marks.get(name).is_some_and(marks_any));
        if differs {
            attributes.push(name.clone());
        }
        if sensitive || (differs && unknown) {
            hidden.push(name.clone());
        }
    }
    attributes.sort_unstable();
    attributes.dedup();
    hidden.sort_unstable();
    hidden.dedup();
    for name in &hidden {
        before.remove(name);
        after.remove(name);
    }
    hidden.retain(|name| attributes.binary_search(name).is_ok());
    let resource_type = match resource.resource_type {
        empty if empty.is_empty() => type_of(&resource.address),
        given => given,
    };
    Some(ResourceChange {
        critical: CriticalKind::of(&resource_type),
        address: resource.address,
        previous_address: resource.previous_address,
        resource_type,
        action,
        deposed: resource.deposed,
        imported: change.importing.is_some(),
        attributes,
        hidden,
        before,
        after,
    })
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

fn keys(value: &Value) -> impl Iterator<Item = &String> {
    value.as_object().into_iter().flat_map(Map::keys)
}

/// Whether a tree of marks has one that is set. Its depth is bounded by the reader of JSON.
fn marks_any(marks: &Value) -> bool {
    match marks {
        Value::Bool(set) => *set,
        Value::Array(items) => items.iter().any(marks_any),
        Value::Object(map) => map.values().any(marks_any),
        _ => false,
    }
}

/// The type in an address, for plans that don't say it: the last but one part of its name.
fn type_of(address: &str) -> String {
    let mut parts = address.split('.').rev();
    parts.nth(1).unwrap_or_default().to_owned()
}
