//! Findings of Semgrep's platform (its API `GET /deployments/{slug}/findings`).

use serde::Deserialize;

use super::Input;
use crate::collect::{Collector, Draft, Place, severity};
use crate::error::SourceResult;
use crate::json::{OneOrMany, Outline, loose, or_default};

const SCANNER: &str = "semgrep";

#[derive(Deserialize)]
struct Document {
    #[serde(deserialize_with = "loose::many")]
    findings: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    #[serde(default, deserialize_with = "loose::text")]
    id: String,
    #[serde(default, deserialize_with = "or_default")]
    rule_name: String,
    #[serde(default, deserialize_with = "or_default")]
    rule_message: String,
    #[serde(default, deserialize_with = "or_default")]
    severity: String,
    #[serde(default, deserialize_with = "or_default")]
    status: String,
    #[serde(default, deserialize_with = "or_default")]
    match_based_id: String,
    #[serde(default, deserialize_with = "or_default")]
    location: Location,
    #[serde(default, deserialize_with = "or_default")]
    rule: Rule,
}

#[derive(Deserialize, Default)]
struct Location {
    #[serde(default, deserialize_with = "or_default")]
    file_path: String,
    #[serde(default, deserialize_with = "loose::number")]
    line: Option<u32>,
    #[serde(default, deserialize_with = "loose::number")]
    column: Option<u32>,
}

#[derive(Deserialize, Default)]
struct Rule {
    #[serde(default, deserialize_with = "or_default")]
    name: String,
    #[serde(default, deserialize_with = "or_default")]
    message: String,
    #[serde(default, deserialize_with = "or_default")]
    cwe_names: OneOrMany,
}

pub fn detect(outline: &Outline) -> bool {
    outline.has_inner("findings", "rule_name") || outline.has_inner("findings", "syntactic_id")
}

pub fn read(input: &Input<'_>, collector: &mut Collector<'_>) -> SourceResult<String> {
    let document: Document = input.json("findings of Semgrep's API")?;
    for entry in document.findings {
        if entry.status == "fixed" {
            collector.skip(&format!("finding {} is fixed", entry.id));
            continue;
        }
        let rule = if entry.rule_name.is_empty() {
            &entry.rule.name
        } else {
            &entry.rule_name
        };
        let message = if entry.rule_message.is_empty() {
            &entry.rule.message
        } else {
            &entry.rule_message
        };
        let mut draft = Draft::new(SCANNER, rule, message);
        draft.stable_rule = rule.rsplit('.').next().map(str::to_owned);
        draft.severity = severity(&entry.severity);
        draft.cwes = entry.rule.cwe_names.iter().map(str::to_owned).collect();
        draft.own_id = Some(entry.match_based_id);
        draft.place = Place::at(entry.location.file_path, entry.location.line, entry.location.column);
        collector.push(draft)?;
    }
    Ok(SCANNER.to_owned())
}
