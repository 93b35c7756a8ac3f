//! Bandit's JSON (`bandit -f json`).

use serde::Deserialize;

use super::Input;
use crate::collect::{Collector, Draft, Place, severity};
use crate::error::SourceResult;
use crate::json::{Outline, or_default};

const SCANNER: &str = "bandit";

#[derive(Deserialize)]
struct Document {
    #[serde(default, deserialize_with = "or_default")]
    errors: Vec<ScanError>,
    results: Vec<Entry>,
}

#[derive(Deserialize)]
struct ScanError {
    filename: String,
    #[serde(default)]
    reason: String,
}

#[derive(Deserialize)]
struct Entry {
    test_id: String,
    #[serde(default)]
    test_name: String,
    issue_text: String,
    issue_severity: String,
    issue_cwe: Option<Cwe>,
    filename: String,
    line_number: u32,
    col_offset: Option<i64>,
    #[serde(default)]
    code: String,
}

#[derive(Deserialize)]
struct Cwe {
    id: Option<u32>,
}

pub fn detect(outline: &Outline) -> bool {
    outline.has(&["results", "metrics", "generated_at"]) || outline.has_inner("results", "test_id")
}

pub fn read(input: &Input<'_>, collector: &mut Collector<'_>) -> SourceResult<String> {
    let document: Document = input.json("bandit's JSON")?;
    for error in document.errors {
        collector.skip(&format!("{}: {}", error.filename, error.reason));
    }
    for entry in document.results {
        let mut draft = Draft::new(SCANNER, &entry.test_id, &entry.issue_text);
        draft.rule_title = Some(entry.test_name.replace('_', " ")).filter(|name| !name.is_empty());
        draft.severity = severity(&entry.issue_severity);
        draft.cwes = entry
            .issue_cwe
            .and_then(|cwe| cwe.id)
            .map(|id| id.to_string())
            .into_iter()
            .collect();
        // B105 to B107 are the hard-coded passwords; older versions give no CWE.
        if matches!(entry.test_id.as_str(), "B105" | "B106" | "B107") && draft.cwes.is_empty() {
            draft.cwes.push("CWE-259".to_owned());
        }
        draft.snippet = snippet(&entry.code, entry.line_number);
        draft.place = Some(Place {
            path: entry.filename,
            line: Some(entry.line_number),
            column: entry.col_offset.and_then(|c| u32::try_from(c + 1).ok()),
        });
        collector.push(draft)?;
    }
    Ok(SCANNER.to_owned())
}

/// The line itself: bandit shows it among its neighbours, each after its number.
fn snippet(code: &str, line: u32) -> Option<String> {
    let number = line.to_string();
    code.lines()
        .find_map(|shown| Some(shown.strip_prefix(&number)?.strip_prefix(' ')?.to_owned()))
}
