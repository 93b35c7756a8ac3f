//! The seeds, through the functions that the fuzzer calls; and that every target has all its parts.

#![allow(clippy::unwrap_used)]

use holdpoint_fuzz::{TARGETS, run};
use holdpoint_intake::report::{NoSource, ReportContext, read_report};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn entries(folder: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join(folder)).unwrap();
    let mut entries: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    entries
}

fn names(folder: &str) -> BTreeSet<String> {
    let stem = |path: &PathBuf| path.file_stem().unwrap().to_str().unwrap().to_owned();
    entries(folder).iter().map(stem).collect()
}

fn targets() -> BTreeSet<String> {
    TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect()
}

#[test]
fn every_target_has_a_binary_seeds_and_a_line_in_the_manifest() {
    assert_eq!(names("harness/fuzz_targets"), targets());
    assert_eq!(names("seeds"), targets());
    let manifest = fs::read_to_string(root().join("harness/Cargo.toml")).unwrap();
    let listed: BTreeSet<String> = manifest
        .lines()
        .filter_map(|line| {
            Some(
                line.strip_prefix("path = \"fuzz_targets/")?
                    .strip_suffix(".rs\"")?
                    .to_owned(),
            )
        })
        .collect();
    assert_eq!(listed, targets());
    for name in targets() {
        let binary = fs::read_to_string(root().join(format!("harness/fuzz_targets/{name}.rs"))).unwrap();
        assert!(
            binary.contains(&format!("run(\"{name}\", data)")),
            "{name} runs another"
        );
        assert!(!entries(&format!("seeds/{name}")).is_empty(), "{name} has no seed");
    }
}

#[test]
fn every_seed_keeps_the_promises() {
    for (name, target) in TARGETS {
        for path in entries(&format!("seeds/{name}")) {
            let data = fs::read(&path).unwrap();
            assert!(
                data.len() <= 8_192,
                "{} is longer than the fuzzer reads",
                path.display()
            );
            target(&data);
        }
    }
}

/// Bytes that belong to no format, and seeds that are cut off at every place.
#[test]
fn what_is_cut_off_keeps_the_promises() {
    for (name, _) in TARGETS {
        run(name, b"");
        run(name, b"\xff\xfe\x00");
        run(name, &b"[".repeat(4_096));
        run(name, "=== \u{feff}\n=== x\n".as_bytes());
        for path in entries(&format!("seeds/{name}")) {
            let data = fs::read(&path).unwrap();
            // Not at each byte: there are many seeds.
            for end in (0..data.len()).step_by(data.len() / 12 + 1) {
                run(name, &data[..end]);
            }
        }
    }
}

/// A seed that is refused at its first line would leave its reader without a test.
#[test]
fn every_format_of_reports_has_a_seed_that_is_read() {
    let context = ReportContext {
        repo: "shop",
        file: "report",
        source: &NoSource,
        secret_key: None,
    };
    let error = read_report(b"{\"no\": \"format\"}", &context).unwrap_err();
    let help = error.source_error().unwrap().help.clone().unwrap();
    let known = help.strip_prefix("known formats: ").unwrap().split(';').next().unwrap();
    let known: BTreeSet<String> = known.split(", ").map(str::to_owned).collect();
    let folders = ["report_json", "report_stream", "report_xml"];
    let seeds: BTreeSet<String> = folders
        .iter()
        .flat_map(|folder| names(&format!("seeds/{folder}")))
        .collect();
    assert!(known.is_subset(&seeds), "no seed for {:?}", known.difference(&seeds));
    for path in folders.iter().flat_map(|folder| entries(&format!("seeds/{folder}"))) {
        let report = read_report(&fs::read(&path).unwrap(), &context);
        let report = report.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let is_scanner = path.file_stem().unwrap() != "sarif";
        assert!(!report.findings.is_empty(), "{} has no finding", path.display());
        assert!(!is_scanner || !report.scanner.is_empty());
    }
}
