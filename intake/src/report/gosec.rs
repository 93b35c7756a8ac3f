//! gosec's JSON (`gosec -fmt json`).

use serde::Deserialize;
use std::collections::BTreeMap;

use super::Input;
use crate::collect::{Collector, Draft, Place, severity};
use crate::error::SourceResult;
use crate::json::{Outline, loose, or_default};

const SCANNER: &str = "gosec";

#[derive(Deserialize)]
struct Document {
    #[serde(rename = "Issues", default, deserialize_with = "loose::many")]
    issues: Vec<Issue>,
    /// Per file, what didn't compile.
    #[serde(rename = "Golang errors", default, deserialize_with = "or_default")]
    errors: BTreeMap<String, Vec<ScanError>>,
}

#[derive(Deserialize)]
struct ScanError {
    #[serde(default, deserialize_with = "loose::text")]
    error: String,
}

#[derive(Deserialize)]
struct Issue {
    rule_id: String,
    #[serde(default, deserialize_with = "or_default")]
    details: String,
    #[serde(default, deserialize_with = "or_default")]
    severity: String,
    #[serde(default, deserialize_with = "or_default")]
    cwe: Cwe,
    #[serde(default, deserialize_with = "or_default")]
    file: String,
    #[serde(default, deserialize_with = "or_default")]
    code: String,
    /// Text; a range where the issue spans lines.
    #[serde(default, deserialize_with = "loose::number")]
    line: Option<u32>,
    #[serde(default, deserialize_with = "loose::number")]
    column: Option<u32>,
    /// Reported all the same with `-track-suppressions`.
    #[serde(default, deserialize_with = "loose::truth")]
    nosec: bool,
}

#[derive(Deserialize, Default)]
struct Cwe {
    #[serde(default, alias = "ID", deserialize_with = "loose::text")]
    id: String,
}

pub fn detect(outline: &Outline) -> bool {
    outline.has(&["Issues", "Stats"]) || outline.has_inner("Issues", "rule_id")
}

pub fn read(input: &Input<'_>, collector: &mut Collector<'_>) -> SourceResult<String> {
    let document: Document = input.json("gosec's JSON")?;
    for (file, errors) in document.errors {
        for error in errors {
            collector.skip(&format!("{file}: {}", error.error));
        }
    }
    for issue in document.issues {
        if issue.nosec {
            collector.skip(&format!(
                "{}: {} is suppressed in the source",
                issue.file, issue.rule_id
            ));
            continue;
        }
        let mut draft = Draft::new(SCANNER, &issue.rule_id, &issue.details);
        draft.severity = severity(&issue.severity);
        draft.cwes = vec![issue.cwe.id];
        draft.snippet = snippet(&issue.code, issue.line);
        draft.place = Place::at(issue.file, issue.line, issue.column);
        collector.push(draft)?;
    }
    Ok(SCANNER.to_owned())
}

/// The line itself: newer versions show it among its neighbours, each after its number.
fn snippet(code: &str, line: Option<u32>) -> Option<String> {
    let number = format!("{}: ", line?);
    let numbered = code.lines().find_map(|shown| shown.strip_prefix(&number));
    numbered.or_else(|| code.lines().next()).map(str::to_owned)
}
