//! Istanbul's `coverage-final.json`, which nyc, c8 and jest write: statements with their places and hits.

use serde::Deserialize;
use std::collections::BTreeMap;

use super::Coverage;

#[derive(Deserialize)]
struct File {
    path: String,
    #[serde(rename = "statementMap")]
    statements: BTreeMap<String, Span>,
    #[serde(rename = "s")]
    hits: BTreeMap<String, u64>,
}

#[derive(Deserialize)]
struct Span {
    start: Place,
}

#[derive(Deserialize)]
struct Place {
    line: u32,
}

pub(super) fn read(text: &str) -> Result<Coverage, String> {
    let report: BTreeMap<String, File> = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let mut coverage = Coverage::default();
    for file in report.into_values() {
        for (id, span) in &file.statements {
            coverage.add(
                &file.path,
                span.start.line,
                file.hits.get(id).is_some_and(|hits| *hits > 0),
            );
        }
    }
    Ok(coverage)
}
