//! How long it takes to compare large descriptions: consecutive files of the folder that `HOLDPOINT_OPENAPI_BENCH`
//! names, and a thousand small pairs. Prints seconds and the most memory that the process had.

#![allow(
    clippy::disallowed_macros,
    clippy::disallowed_methods,
    clippy::expect_used,
    reason = "only the library is pure; a bench reads files and the clock, and prints"
)]

use std::path::PathBuf;
use std::time::Instant;

use holdpoint_contract::openapi::{Document, diff};
use serde_json::json;

/// Most memory that the process had so far, in MiB; Linux only.
fn peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()? / 1024)
}

fn large() {
    let Some(folder) = std::env::var_os("HOLDPOINT_OPENAPI_BENCH").map(PathBuf::from) else {
        println!("large descriptions: skipped, HOLDPOINT_OPENAPI_BENCH names no folder");
        return;
    };
    let entries = std::fs::read_dir(&folder).expect("the folder is readable");
    let mut files: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.retain(|file| file.extension().is_some_and(|kind| kind == "json" || kind == "yaml"));
    files.sort();
    for pair in files.windows(2) {
        let [old, new] = pair else { continue };
        let start = Instant::now();
        let read = |file: &PathBuf| {
            let text = std::fs::read_to_string(file).expect("the file is readable");
            Document::parse(&file.to_string_lossy(), &text).expect("the file is a description")
        };
        let (base, revision) = (read(old), read(new));
        let parsed = start.elapsed();
        let found = diff(&base, &revision);
        let errors = found
            .changes
            .iter()
            .filter(|change| change.level == holdpoint_contract::Level::Error);
        println!(
            "{} -> {}: {:.3} s ({:.3} s of it parsing), {} changes, {} errors, {} gaps, peak {:?} MiB",
            old.display(),
            new.display(),
            start.elapsed().as_secs_f64(),
            parsed.as_secs_f64(),
            found.changes.len(),
            errors.count(),
            found.gaps.len(),
            peak()
        );
    }
}

fn small() {
    let api = |kind: &str, at: usize| {
        let item = json!({"$ref": "#/components/schemas/Item"});
        let body = |schema| json!({"content": {"application/json": {"schema": schema}}});
        let api = json!({
            "openapi": "3.0.3",
            "paths": {"/items/{id}": {"post": {
                "requestBody": body(item.clone()),
                "responses": {"200": body(json!({"type": "array", "items": item}))}
            }}},
            "components": {"schemas": {"Item": {"type": "object", "required": ["id"], "properties": {
                "id": {"type": kind},
                "name": {"type": "string", "maxLength": at},
                "tags": {"type": "array", "items": {"type": "string"}}
            }}}}
        });
        api.to_string()
    };
    let texts: Vec<[String; 2]> = (0..1_000).map(|at| [api("integer", at), api("string", at)]).collect();
    let start = Instant::now();
    let mut changes = 0;
    for [base, revision] in &texts {
        let read = |text| Document::parse("api.json", text).expect("a description");
        changes += diff(&read(base), &read(revision)).changes.len();
    }
    println!(
        "1,000 small pairs: {:.3} s, {changes} changes",
        start.elapsed().as_secs_f64()
    );
}

fn main() {
    large();
    small();
}
