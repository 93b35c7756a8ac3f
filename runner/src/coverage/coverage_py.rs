//! coverage.py's `coverage json`.

use serde::Deserialize;
use std::collections::BTreeMap;

use super::Coverage;

#[derive(Deserialize)]
struct Report {
    files: BTreeMap<String, File>,
}

#[derive(Deserialize)]
struct File {
    executed_lines: Vec<u32>,
    missing_lines: Vec<u32>,
}

pub(super) fn read(text: &str) -> Result<Coverage, String> {
    let report: Report = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let mut coverage = Coverage::default();
    for (path, file) in report.files {
        for (lines, ran) in [(file.executed_lines, true), (file.missing_lines, false)] {
            for line in lines {
                coverage.add(&path, line, ran);
            }
        }
    }
    Ok(coverage)
}
