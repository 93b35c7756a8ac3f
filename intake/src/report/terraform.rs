//! Drift from a Terraform or OpenTofu plan (`terraform show -json PLAN`).

use holdpoint_schemas::finding::FindingClass;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::Input;
use crate::collect::{Collector, Draft};
use crate::error::SourceResult;
use crate::json::{Outline, or_default};

const SCANNER: &str = "terraform";
const RULE: &str = "drift";
/// Most attribute names in a title.
const MAX_NAMED: usize = 6;

#[derive(Deserialize)]
struct Plan {
    #[serde(default)]
    errored: bool,
    #[serde(default, deserialize_with = "or_default")]
    resource_drift: Vec<Drift>,
}

#[derive(Deserialize)]
struct Drift {
    address: String,
    #[serde(default)]
    deposed: Option<String>,
    change: Change,
}

#[derive(Deserialize)]
struct Change {
    actions: Vec<String>,
    #[serde(default, deserialize_with = "or_default")]
    before: Map<String, Value>,
    #[serde(default, deserialize_with = "or_default")]
    after: Map<String, Value>,
}

pub fn detect(outline: &Outline) -> bool {
    outline.has(&["format_version"])
        && ["resource_changes", "resource_drift", "planned_values"]
            .iter()
            .any(|key| outline.has(&[key]))
}

pub fn read(input: &Input<'_>, collector: &mut Collector<'_>) -> SourceResult<String> {
    let plan: Plan = input.json("a Terraform plan in JSON")?;
    if plan.errored {
        collector.skip("the plan ended with an error: there may be more drift than it shows");
    }
    for drift in plan.resource_drift {
        if drift.change.actions.iter().all(|action| action == "no-op") {
            continue;
        }
        let mut draft = Draft::new(SCANNER, RULE, &title(&drift));
        draft.class = Some(FindingClass::Drift);
        draft.own_id = drift.deposed;
        draft.iac_address = Some(drift.address);
        collector.push(draft)?;
    }
    Ok(SCANNER.to_owned())
}

/// Names what differs; never the values, which may be secret.
fn title(drift: &Drift) -> String {
    let address = &drift.address;
    if drift.change.actions.iter().any(|action| action == "delete") {
        return format!("live infrastructure lacks `{address}`");
    }
    let (before, after) = (&drift.change.before, &drift.change.after);
    let mut names: Vec<&str> = after
        .iter()
        .filter(|(name, value)| before.get(*name) != Some(value))
        .map(|(name, _)| name.as_str())
        .chain(
            before
                .keys()
                .filter(|name| !after.contains_key(*name))
                .map(String::as_str),
        )
        .collect();
    names.sort_unstable();
    names.truncate(MAX_NAMED);
    if names.is_empty() {
        format!("live `{address}` differs from its code")
    } else {
        format!("live `{address}` differs from its code: {}", names.join(", "))
    }
}
