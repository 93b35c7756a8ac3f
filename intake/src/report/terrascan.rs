//! Terrascan's JSON (`terrascan scan -o json`).

use holdpoint_schemas::finding::FindingClass;
use serde::Deserialize;

use super::Input;
use crate::collect::{Collector, Draft, Place, severity};
use crate::error::SourceResult;
use crate::json::{Outline, loose, or_default};

const SCANNER: &str = "terrascan";

#[derive(Deserialize)]
struct Document {
    results: Results,
}

#[derive(Deserialize)]
struct Results {
    #[serde(default, deserialize_with = "loose::many")]
    violations: Vec<Violation>,
    #[serde(default, deserialize_with = "loose::many")]
    scan_errors: Vec<ScanError>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ScanError {
    #[serde(default, deserialize_with = "or_default")]
    err_msg: String,
}

#[derive(Deserialize)]
struct Violation {
    rule_id: String,
    #[serde(default, deserialize_with = "or_default")]
    rule_name: String,
    #[serde(default, deserialize_with = "or_default")]
    description: String,
    #[serde(default, deserialize_with = "or_default")]
    severity: String,
    #[serde(default, deserialize_with = "or_default")]
    resource_name: String,
    #[serde(default, deserialize_with = "or_default")]
    resource_type: String,
    #[serde(default, deserialize_with = "or_default")]
    file: String,
    #[serde(default, deserialize_with = "loose::number")]
    line: Option<u32>,
}

pub fn detect(outline: &Outline) -> bool {
    outline.has_inner("results", "scan_summary") || outline.has_inner("results", "violations")
}

pub fn read(input: &Input<'_>, collector: &mut Collector<'_>) -> SourceResult<String> {
    let document: Document = input.json("Terrascan's JSON")?;
    for error in document.results.scan_errors {
        collector.skip(&error.err_msg);
    }
    for violation in document.results.violations {
        let mut draft = Draft::new(SCANNER, &violation.rule_id, &violation.description);
        draft.rule_title = Some(violation.rule_name.clone()).filter(|name| !name.is_empty());
        if violation.description.is_empty() {
            draft.title = violation.rule_name;
        }
        draft.severity = severity(&violation.severity);
        draft.class = Some(FindingClass::Iac);
        let named = !violation.resource_type.is_empty() && !violation.resource_name.is_empty();
        let address = named.then(|| format!("{}.{}", violation.resource_type, violation.resource_name));
        draft.snippet.clone_from(&address);
        draft.iac_address = address;
        draft.place = Place::at(violation.file, violation.line, None);
        collector.push(draft)?;
    }
    Ok(SCANNER.to_owned())
}
