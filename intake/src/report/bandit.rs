//! Bandit's JSON (`bandit -f json`).

use serde::Deserialize;

use super::Input;
use crate::collect::{Collector, Draft, Place, severity};
use crate::error::SourceResult;
use crate::json::{Outline, loose, or_default};

const SCANNER: &str = "bandit";

#[derive(Deserialize)]
struct Document {
    #[serde(default, deserialize_with = "or_default")]
    errors: Vec<ScanError>,
    #[serde(deserialize_with = "loose::many")]
    results: Vec<Entry>,
}

#[derive(Deserialize)]
struct ScanError {
    #[serde(default, deserialize_with = "or_default")]
    filename: String,
    #[serde(default, deserialize_with = "or_default")]
    reason: String,
}

#[derive(Deserialize)]
struct Entry {
    test_id: String,
    #[serde(default, deserialize_with = "or_default")]
    test_name: String,
    #[serde(default, deserialize_with = "or_default")]
    issue_text: String,
    #[serde(default, deserialize_with = "or_default")]
    issue_severity: String,
    #[serde(default, deserialize_with = "or_default")]
    issue_cwe: Cwe,
    #[serde(default, deserialize_with = "or_default")]
    filename: String,
    #[serde(default, deserialize_with = "loose::number")]
    line_number: Option<u32>,
    /// 0-based; -1 where there is none.
    #[serde(default, deserialize_with = "loose::number")]
    col_offset: Option<u32>,
    #[serde(default, deserialize_with = "or_default")]
    code: String,
}

#[derive(Deserialize, Default)]
struct Cwe {
    #[serde(default, deserialize_with = "loose::text")]
    id: String,
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
        draft.cwes.extend(Some(entry.issue_cwe.id).filter(|id| !id.is_empty()));
        // B105 to B107 are the hard-coded passwords; older versions give no CWE.
        if matches!(entry.test_id.as_str(), "B105" | "B106" | "B107") && draft.cwes.is_empty() {
            draft.cwes.push("CWE-259".to_owned());
        }
        draft.snippet = snippet(&entry.code, entry.line_number);
        let column = entry.col_offset.map(|offset| offset.saturating_add(1));
        draft.place = Place::at(entry.filename, entry.line_number, column);
        collector.push(draft)?;
    }
    Ok(SCANNER.to_owned())
}

/// The line itself: bandit shows it among its neighbours, each after its number.
fn snippet(code: &str, line: Option<u32>) -> Option<String> {
    let number = line?.to_string();
    code.lines()
        .find_map(|shown| Some(shown.strip_prefix(&number)?.strip_prefix(' ')?.to_owned()))
}
