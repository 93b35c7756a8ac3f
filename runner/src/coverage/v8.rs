//! V8's own coverage, as `NODE_V8_COVERAGE` makes every Node process write it (Chrome DevTools Protocol,
//! `Profiler.ScriptCoverage`): ranges of UTF-16 offsets with counts, the inner ones deciding.

use serde::Deserialize;
use std::collections::BTreeMap;

use super::{BadCoverage, Coverage, place};

/// Functions of one script that are looked at.
const MAX_FUNCTIONS: usize = 200_000;

#[derive(Deserialize)]
struct Report {
    result: Vec<Script>,
}

#[derive(Deserialize)]
struct Script {
    url: String,
    functions: Vec<Function>,
}

#[derive(Deserialize)]
struct Function {
    ranges: Vec<Range>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Range {
    start_offset: usize,
    end_offset: usize,
    count: u64,
}

/// Adds one process's report to what other processes ran. `sources` are the repo's files: only of plain
/// JavaScript are the offsets those of the file.
///
/// # Errors
/// When it is no such report.
pub fn read_v8(report: &[u8], sources: &BTreeMap<String, &str>, coverage: &mut Coverage) -> Result<(), BadCoverage> {
    let report: Report =
        serde_json::from_slice(report).map_err(|error| BadCoverage::Malformed("V8", error.to_string()))?;
    let paths = sources.keys().cloned().collect();
    for script in report.result {
        if !script.url.starts_with("file://") {
            continue;
        }
        let Some(path) = place(&script.url, &paths) else {
            continue;
        };
        let plain = [".js", ".mjs", ".cjs"].iter().any(|ending| path.ends_with(ending));
        let Some(source) = sources.get(path).filter(|_| plain) else {
            continue;
        };
        for (line, ran) in lines(source, &script.functions) {
            coverage.add(path, line, ran);
        }
    }
    Ok(())
}

/// Every line with code, and whether none of it was left out. V8's functions come outer before inner, and so do
/// the ranges of each.
fn lines(source: &str, functions: &[Function]) -> Vec<(u32, bool)> {
    let mut ran = vec![true; source.encode_utf16().count()];
    for range in functions
        .iter()
        .take(MAX_FUNCTIONS)
        .flat_map(|function| &function.ranges)
    {
        let end = range.end_offset.min(ran.len());
        if let Some(part) = ran.get_mut(range.start_offset.min(end)..end) {
            part.fill(range.count > 0);
        }
    }
    let mut lines = Vec::new();
    let mut offset = 0;
    for (number, text) in (1..).zip(source.split_inclusive('\n')) {
        let mut code = false;
        let mut all = true;
        for unit in text.encode_utf16() {
            let blank =
                char::from_u32(u32::from(unit)).is_some_and(|c| c.is_whitespace() || matches!(c, '{' | '}' | ';'));
            if !blank {
                code = true;
                all &= ran.get(offset).copied().unwrap_or_default();
            }
            offset += 1;
        }
        if code {
            lines.push((number, all));
        }
    }
    lines
}
