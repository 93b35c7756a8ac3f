//! Brakeman's JSON (`brakeman -f json`).

use holdpoint_schemas::finding::Severity;
use serde::Deserialize;

use super::Input;
use crate::collect::{Collector, Draft, Place};
use crate::error::SourceResult;
use crate::json::{Outline, loose, or_default};

const SCANNER: &str = "brakeman";

#[derive(Deserialize)]
struct Document {
    #[serde(deserialize_with = "loose::many")]
    warnings: Vec<Warning>,
    #[serde(default, deserialize_with = "loose::many")]
    errors: Vec<ScanError>,
}

#[derive(Deserialize)]
struct ScanError {
    #[serde(default, deserialize_with = "loose::text")]
    error: String,
}

#[derive(Deserialize)]
struct Warning {
    #[serde(default, deserialize_with = "loose::number")]
    warning_code: Option<u32>,
    #[serde(default, deserialize_with = "or_default")]
    warning_type: String,
    #[serde(default, deserialize_with = "or_default")]
    message: String,
    #[serde(default, deserialize_with = "or_default")]
    confidence: String,
    #[serde(default, deserialize_with = "or_default")]
    file: String,
    #[serde(default, deserialize_with = "loose::number")]
    line: Option<u32>,
    #[serde(default, deserialize_with = "or_default")]
    code: String,
    #[serde(default, deserialize_with = "or_default")]
    fingerprint: String,
    #[serde(default, deserialize_with = "or_default")]
    cwe_id: Vec<u32>,
}

pub fn detect(outline: &Outline) -> bool {
    outline.has(&["scan_info", "warnings"]) || outline.has_inner("warnings", "warning_type")
}

pub fn read(input: &Input<'_>, collector: &mut Collector<'_>) -> SourceResult<String> {
    let document: Document = input.json("Brakeman's JSON")?;
    for error in document.errors {
        collector.skip(&error.error);
    }
    for warning in document.warnings {
        // The ids of Brakeman's own SARIF, so that both reports of a scan name a rule alike.
        let rule = match warning.warning_code {
            Some(code) => format!("BRAKE{code:04}"),
            None => warning.warning_type.clone(),
        };
        let mut draft = Draft::new(SCANNER, &rule, &warning.message);
        draft.rule_title = Some(warning.warning_type);
        draft.severity = from_confidence(&warning.confidence);
        draft.cwes = warning.cwe_id.iter().map(u32::to_string).collect();
        draft.snippet = Some(warning.code);
        draft.own_id = Some(warning.fingerprint);
        draft.place = Place::at(warning.file, warning.line, None);
        collector.push(draft)?;
    }
    Ok(SCANNER.to_owned())
}

/// Brakeman has no severity; its own SARIF gives the confidence as the level.
fn from_confidence(word: &str) -> Severity {
    match word {
        "High" => Severity::High,
        "Medium" => Severity::Medium,
        "Weak" | "Low" => Severity::Low,
        _ => Severity::Unknown,
    }
}
