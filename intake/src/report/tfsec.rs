//! tfsec's JSON (`tfsec --format json`), old (`AWS018`) and new (`AVD-AWS-0018`) ids.

use holdpoint_schemas::finding::FindingClass;
use serde::Deserialize;

use super::Input;
use crate::collect::{Collector, Draft, Place, severity};
use crate::error::SourceResult;
use crate::json::{Outline, loose, or_default};

const SCANNER: &str = "tfsec";

#[derive(Deserialize)]
struct Document {
    #[serde(deserialize_with = "loose::many")]
    results: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    #[serde(default, deserialize_with = "or_default")]
    rule_id: String,
    #[serde(default, deserialize_with = "or_default")]
    long_id: String,
    #[serde(default, deserialize_with = "or_default")]
    rule_description: String,
    #[serde(default, deserialize_with = "or_default")]
    description: String,
    #[serde(default, deserialize_with = "or_default")]
    severity: String,
    #[serde(default, deserialize_with = "or_default")]
    resource: String,
    #[serde(default, deserialize_with = "or_default")]
    location: Location,
    /// Old versions, with `--include-passed`.
    #[serde(default, deserialize_with = "loose::truth")]
    passed: bool,
    /// New versions: 0 failed, 1 passed, 2 ignored.
    #[serde(default, deserialize_with = "loose::number")]
    status: Option<u32>,
}

#[derive(Deserialize, Default)]
struct Location {
    #[serde(default, deserialize_with = "or_default")]
    filename: String,
    #[serde(default, deserialize_with = "loose::number")]
    start_line: Option<u32>,
}

/// A clean report says no more than `{"results": null}`, which no other scanner writes.
pub fn detect(outline: &Outline) -> bool {
    let only_results = outline.keys.len() == 1 && outline.keys.get("results").is_some_and(|inner| inner.is_empty());
    outline.has_inner("results", "long_id")
        || (outline.has_inner("results", "rule_id") && outline.has_inner("results", "location"))
        || only_results
}

pub fn read(input: &Input<'_>, collector: &mut Collector<'_>) -> SourceResult<String> {
    let document: Document = input.json("tfsec's JSON")?;
    for entry in document.results {
        if entry.passed || entry.status.is_some_and(|status| status > 0) {
            continue;
        }
        let rule = if entry.rule_id.is_empty() {
            &entry.long_id
        } else {
            &entry.rule_id
        };
        let mut draft = Draft::new(SCANNER, rule, &entry.description);
        if entry.description.is_empty() {
            draft.title.clone_from(&entry.rule_description);
        }
        draft.rule_title = Some(entry.rule_description).filter(|title| !title.is_empty());
        draft.severity = severity(&entry.severity);
        draft.class = Some(FindingClass::Iac);
        draft.aliases = vec![entry.long_id];
        draft.snippet = Some(entry.resource.clone());
        draft.iac_address = Some(entry.resource).filter(|resource| !resource.is_empty());
        draft.place = Place::at(entry.location.filename, entry.location.start_line, None);
        collector.push(draft)?;
    }
    Ok(SCANNER.to_owned())
}
