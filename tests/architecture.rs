//! The rules of the house, checked.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn tracked_files() -> Vec<PathBuf> {
    let output = Command::new("git")
        .arg("-C")
        .arg(root())
        .args(["ls-files", "-co", "--exclude-standard"])
        .output()
        .unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(PathBuf::from)
        .collect()
}

#[test]
fn crates_depend_only_in_the_directions_of_the_design() {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--format-version",
            "1",
            "--no-deps",
            "--offline",
            "--manifest-path",
        ])
        .arg(root().join("Cargo.toml"))
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let allowed: BTreeMap<&str, &[&str]> = BTreeMap::from([
        ("holdpoint-schemas", [].as_slice()),
        ("holdpoint-proof", ["holdpoint-schemas", "holdpoint-engine"].as_slice()),
        (
            "holdpoint-runner",
            ["holdpoint-schemas", "holdpoint-contract"].as_slice(),
        ),
        // It ships nothing: it calls the parsers of all.
        (
            "holdpoint-fuzz",
            [
                "holdpoint-schemas",
                "holdpoint-intake",
                "holdpoint-fixes",
                "holdpoint-contract",
                "holdpoint-ledger",
                "holdpoint-usage",
            ]
            .as_slice(),
        ),
    ]);
    for package in metadata["packages"].as_array().unwrap() {
        let name = package["name"].as_str().unwrap();
        if name == "holdpoint" {
            continue;
        }
        let allowed = allowed.get(name).copied().unwrap_or(&["holdpoint-schemas"]);
        for dependency in package["dependencies"].as_array().unwrap() {
            let used = dependency["name"].as_str().unwrap();
            assert!(
                !used.starts_with("holdpoint") || allowed.contains(&used),
                "{name} must not use {used}"
            );
        }
    }
}

#[test]
fn vendor_crates_stay_in_the_crates_that_own_them() {
    let owners = BTreeMap::from([
        ("cedar-policy", BTreeSet::from(["engine", "proof"])),
        ("cedar-policy-formatter", BTreeSet::from(["engine"])),
        ("cedar-policy-symcc", BTreeSet::from(["proof"])),
        ("petgraph", BTreeSet::from(["engine"])),
        ("bollard", BTreeSet::from(["runner"])),
        ("rusqlite", BTreeSet::from(["ledger"])),
        ("postgres", BTreeSet::from(["ledger"])),
        ("tree-sitter", BTreeSet::from(["usage"])),
    ]);
    for folder in [
        "schemas", "intake", "engine", "proof", "fixes", "contract", "runner", "forge", "ledger", "usage",
    ] {
        let manifest = std::fs::read_to_string(root().join(folder).join("Cargo.toml")).unwrap();
        for (vendor, allowed) in &owners {
            assert!(
                !manifest.contains(&format!("\n{vendor}.workspace")) || allowed.contains(folder),
                "{folder} uses {vendor}"
            );
        }
    }
}

#[test]
fn no_source_file_is_longer_than_600_lines() {
    let mut checked = 0;
    for path in tracked_files()
        .into_iter()
        .filter(|path| path.extension().is_some_and(|ending| ending == "rs"))
    {
        let Ok(text) = std::fs::read_to_string(root().join(&path)) else {
            continue;
        };
        let lines = text.lines().count();
        assert!(
            lines <= 600,
            "{} has {lines} lines: split it by capability",
            path.display()
        );
        checked += 1;
    }
    assert!(checked > 50, "only {checked} files were looked at");
}

#[test]
fn every_dependency_has_its_line_of_reason() {
    let reasons = std::fs::read_to_string(root().join("docs/dependencies.md")).unwrap();
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let section = manifest
        .split("[workspace.dependencies]")
        .nth(1)
        .unwrap()
        .split("\n[")
        .next()
        .unwrap();
    let names = section
        .lines()
        .filter_map(|line| line.split_once(" = "))
        .map(|(name, _)| name.trim())
        .filter(|name| !name.starts_with('#') && !name.starts_with("holdpoint-"));
    for name in names {
        let rows = reasons.lines().filter(|line| {
            let cell = line.strip_prefix("| ").and_then(|row| row.split('|').next());
            cell.is_some_and(|cell| cell.split(',').any(|word| word.trim() == name))
        });
        assert_eq!(rows.count(), 1, "docs/dependencies.md: reasons for `{name}`");
    }
}

#[test]
fn no_test_is_ignored_and_nothing_is_left_to_do() {
    let forbidden = [
        concat!("#[ign", "ore"),
        concat!("to", "do!("),
        concat!("unimple", "mented!("),
        concat!("db", "g!("),
    ];
    for path in tracked_files()
        .into_iter()
        .filter(|path| path.extension().is_some_and(|ending| ending == "rs"))
    {
        let Ok(text) = std::fs::read_to_string(root().join(&path)) else {
            continue;
        };
        for word in forbidden {
            assert!(!text.contains(word), "{} holds `{word}`", path.display());
        }
    }
}
