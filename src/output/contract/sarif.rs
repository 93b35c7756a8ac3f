//! SARIF 2.1.0, for editors and code scanning.

use holdpoint_contract::kind::all_rules;
use holdpoint_contract::{Change, Level};
use serde_json::{Value, json};
use std::collections::BTreeSet;

use super::{Compared, file_of, place};
use crate::output::diagnostics::{SARIF_SCHEMA, uri};

/// The comparison as a log with one run. What could not be compared is a notification, and the run then wasn't
/// successful (§3.20.14).
#[must_use]
pub fn sarif(compared: &Compared<'_>) -> Value {
    let diff = &compared.judged.diff;
    let used: BTreeSet<&str> = diff.changes.iter().map(|change| change.rule.as_str()).collect();
    let known = all_rules();
    let known = known
        .iter()
        .filter(|rule| rule.kind == diff.kind && used.contains(rule.id.as_str()));
    let rules: Vec<Value> = known
        .map(|rule| {
            json!({
                "id": rule.id,
                "shortDescription": { "text": rule.explanation },
                "defaultConfiguration": { "level": level(rule.level) },
            })
        })
        .collect();
    let results: Vec<Value> = diff.changes.iter().map(|change| result(compared, change)).collect();
    let notifications: Vec<Value> = diff
        .gaps
        .iter()
        .map(|gap| json!({ "level": "warning", "message": { "text": format!("{}: {}", gap.place, gap.text) } }))
        .collect();
    json!({
        "$schema": SARIF_SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "holdpoint contract diff",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            }},
            "invocations": [{
                "executionSuccessful": diff.gaps.is_empty(),
                "toolExecutionNotifications": notifications,
            }],
            "results": results,
        }],
    })
}

const fn level(level: Level) -> &'static str {
    match level {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Info => "note",
    }
}

fn result(compared: &Compared<'_>, change: &Change) -> Value {
    // Where the thing is gone, its file is the base's; a path that has a line is a file.
    let side = if change.in_base {
        compared.base
    } else {
        compared.revision
    };
    let file = change
        .file
        .as_deref()
        .or_else(|| change.line.map(|_| change.path.as_str()));
    let file = file.map_or_else(|| side.to_owned(), |file| file_of(side, file));
    let mut physical = json!({ "artifactLocation": { "uri": uri(&file) } });
    if let (Some(line), Some(object)) = (change.line, physical.as_object_mut()) {
        object.insert("region".to_owned(), json!({ "startLine": line }));
    }
    let name = [place(change), change.location.clone()].join(" ");
    json!({
        "ruleId": change.rule,
        "level": level(change.level),
        "message": { "text": format!("{}: {}", name.trim(), change.text) },
        "locations": [{
            "physicalLocation": physical,
            "logicalLocations": [{ "fullyQualifiedName": name.trim() }],
        }],
    })
}
