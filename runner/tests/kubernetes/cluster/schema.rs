//! What the published schema of Kubernetes says of an object. `ci/setup` fetches it.

use jsonschema::Validator;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::OnceLock;

/// The kinds that the sandbox makes, by their plural, with their names in the schema.
const KINDS: [(&str, &str, &str, &str); 4] = [
    ("jobs", "batch/v1", "Job", "io.k8s.api.batch.v1.Job"),
    (
        "leases",
        "coordination.k8s.io/v1",
        "Lease",
        "io.k8s.api.coordination.v1.Lease",
    ),
    (
        "networkpolicies",
        "networking.k8s.io/v1",
        "NetworkPolicy",
        "io.k8s.api.networking.v1.NetworkPolicy",
    ),
    (
        "persistentvolumeclaims",
        "v1",
        "PersistentVolumeClaim",
        "io.k8s.api.core.v1.PersistentVolumeClaim",
    ),
];

fn path() -> PathBuf {
    let folder = match (std::env::var_os("XDG_CACHE_HOME"), std::env::var_os("HOME")) {
        (Some(cache), _) => PathBuf::from(cache),
        (None, home) => PathBuf::from(home.unwrap_or_default()).join(".cache"),
    };
    folder.join("holdpoint/kubernetes-v1.33.0-strict.json")
}

fn validators() -> &'static BTreeMap<&'static str, Validator> {
    static ALL: OnceLock<BTreeMap<&'static str, Validator>> = OnceLock::new();
    ALL.get_or_init(|| {
        let path = path();
        let text =
            std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}; run ci/setup first", path.display()));
        let definitions: Value = serde_json::from_slice(&text).unwrap();
        let of_kind = |name: &str| {
            let schema = json!({
                "$schema": "https://json-schema.org/draft/2020-12/schema",
                "$ref": format!("#/$defs/{name}"),
                "$defs": definitions["$defs"],
            });
            jsonschema::validator_for(&schema).unwrap()
        };
        KINDS
            .iter()
            .map(|(plural, _, _, name)| (*plural, of_kind(name)))
            .collect()
    })
}

/// What is wrong with an object that somebody wants to create; nothing, when all is well.
pub fn complaints(plural: &str, object: &Value) -> Vec<String> {
    let Some((_, version, kind, _)) = KINDS.iter().find(|(known, ..)| *known == plural) else {
        return vec![format!("nobody makes `{plural}` here")];
    };
    let mut found: Vec<String> = validators()[plural]
        .iter_errors(object)
        .map(|error| error.to_string())
        .collect();
    if object["apiVersion"] != *version || object["kind"] != *kind {
        found.push(format!("not a {kind} of {version}"));
    }
    // What the server checks beyond the schema ("Object Names and IDs", "Labels and Selectors").
    let metadata = &object["metadata"];
    let template = &object["spec"]["template"]["metadata"];
    if !is_name(metadata["name"].as_str().unwrap_or_default()) {
        found.push("no DNS label as its name".to_owned());
    }
    for labels in [&metadata["labels"], &template["labels"]] {
        for (name, value) in labels.as_object().into_iter().flatten() {
            if !is_key(name) || !value.as_str().is_some_and(is_label_value) {
                found.push(format!("`{name}: {value}` is no label"));
            }
        }
    }
    for name in metadata["annotations"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, _)| name)
    {
        if !is_key(name) {
            found.push(format!("`{name}` is no annotation"));
        }
    }
    found
}

fn is_name(text: &str) -> bool {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    (1..=63).contains(&text.len()) && text.chars().all(inner) && !text.starts_with('-') && !text.ends_with('-')
}

fn is_key(text: &str) -> bool {
    let (prefix, name) = text.split_once('/').unwrap_or(("a", text));
    !name.is_empty() && is_label_value(name) && prefix.split('.').all(is_name)
}

fn is_label_value(text: &str) -> bool {
    let inner = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let ends = |c: Option<char>| c.is_none_or(|c| c.is_ascii_alphanumeric());
    text.len() <= 63 && text.chars().all(inner) && ends(text.chars().next()) && ends(text.chars().next_back())
}
