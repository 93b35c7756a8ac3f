//! Drift from a Terraform or OpenTofu plan (`terraform show -json PLAN`).

use holdpoint_schemas::finding::FindingClass;

use super::Input;
use crate::collect::{Collector, Draft};
use crate::error::SourceResult;
use crate::json::Outline;
use crate::plan::{self, Action, ResourceChange};

const SCANNER: &str = "terraform";
const RULE: &str = "drift";
/// Most attribute names in a title.
const MAX_NAMED: usize = 6;

pub fn detect(outline: &Outline) -> bool {
    outline.has(&["format_version"])
        && ["resource_changes", "resource_drift", "planned_values"]
            .iter()
            .any(|key| outline.has(&[key]))
}

pub fn read(input: &Input<'_>, collector: &mut Collector<'_>) -> SourceResult<String> {
    let plan = plan::from_text(input.file, input.text)?;
    for gap in &plan.gaps {
        collector.skip(gap);
    }
    for drift in plan.drift {
        let mut draft = Draft::new(SCANNER, RULE, &title(&drift));
        draft.class = Some(FindingClass::Drift);
        draft.own_id = drift.deposed;
        draft.iac_address = Some(drift.address);
        collector.push(draft)?;
    }
    Ok(SCANNER.to_owned())
}

/// Names what differs; never the values, which may be secret.
fn title(drift: &ResourceChange) -> String {
    let address = &drift.address;
    if matches!(drift.action, Action::Delete | Action::Replace) {
        return format!("live infrastructure lacks `{address}`");
    }
    let names: Vec<&str> = drift.attributes.iter().take(MAX_NAMED).map(String::as_str).collect();
    if names.is_empty() {
        format!("live `{address}` differs from its code")
    } else {
        format!("live `{address}` differs from its code: {}", names.join(", "))
    }
}
