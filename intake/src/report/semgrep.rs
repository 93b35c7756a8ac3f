//! Semgrep's JSON (`semgrep scan --json`), also Opengrep's.

use serde::Deserialize;

use super::Input;
use crate::collect::{Collector, Draft, Place, from_metadata, severity};
use crate::error::SourceResult;
use crate::json::{OneOrMany, Outline, or_default};

const SCANNER: &str = "semgrep";
/// What semgrep writes instead of the code when it may not show it.
const NOT_SHOWN: &str = "requires login";

#[derive(Deserialize)]
struct Document {
    results: Vec<Entry>,
    #[serde(default, deserialize_with = "or_default")]
    errors: Vec<ScanError>,
}

#[derive(Deserialize)]
struct ScanError {
    #[serde(default, deserialize_with = "or_default")]
    message: String,
    #[serde(default, deserialize_with = "or_default")]
    path: String,
}

#[derive(Deserialize)]
struct Entry {
    check_id: String,
    path: String,
    start: Position,
    extra: Extra,
}

#[derive(Deserialize)]
struct Position {
    line: u32,
    #[serde(default)]
    col: Option<u32>,
}

#[derive(Deserialize)]
struct Extra {
    #[serde(default, deserialize_with = "or_default")]
    message: String,
    #[serde(default, deserialize_with = "or_default")]
    severity: String,
    #[serde(default, deserialize_with = "or_default")]
    metadata: Metadata,
    #[serde(default, deserialize_with = "or_default")]
    lines: String,
}

#[derive(Deserialize, Default)]
struct Metadata {
    #[serde(default, deserialize_with = "or_default")]
    cwe: OneOrMany,
    #[serde(rename = "holdpoint-class")]
    class: Option<String>,
}

pub fn detect(outline: &Outline) -> bool {
    outline.has_inner("results", "check_id") || (outline.has(&["results", "errors"]) && !outline.has(&["metrics"]))
}

pub fn read(input: &Input<'_>, collector: &mut Collector<'_>) -> SourceResult<String> {
    let document: Document = input.json("semgrep's JSON")?;
    for error in document.errors {
        // Semgrep quotes code between backticks, which may hold a secret.
        let message = error.message.split('`').next().unwrap_or_default().trim();
        collector.skip(&format!("{}: {message}", error.path));
    }
    for entry in document.results {
        let mut draft = Draft::new(SCANNER, &entry.check_id, &entry.extra.message);
        draft.stable_rule = Some(own_rule(&entry.check_id).to_owned());
        draft.severity = severity(&entry.extra.severity);
        draft.class = entry.extra.metadata.class.as_deref().and_then(from_metadata);
        draft.cwes = entry.extra.metadata.cwe.iter().map(str::to_owned).collect();
        let lines = Some(entry.extra.lines).filter(|lines| lines != NOT_SHOWN);
        draft.snippet = lines.and_then(|lines| lines.lines().next().map(str::to_owned));
        draft.place = Some(Place {
            path: entry.path,
            line: Some(entry.start.line),
            column: entry.start.col,
        });
        collector.push(draft)?;
    }
    Ok(SCANNER.to_owned())
}

/// The rule's own id: semgrep puts the folders of the rule's file before it, which differ from
/// machine to machine.
fn own_rule(check_id: &str) -> &str {
    check_id.rsplit('.').next().unwrap_or(check_id)
}
