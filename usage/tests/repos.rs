//! Small labelled repos, one folder per trap: what is reached is never called not reached.
//!
//! `labels` holds the truth, a line each: `ECOSYSTEM PACKAGE[=IMPORT_NAME] SYMBOL|- reached|not-reached`, or
//! `callers PATH = USER… complete|incomplete`. `hidden` is reached in a way that no text shows, so that only
//! "unknown" will do; `clearly-not-reached` must not become unknown. These two aren't part of the share of unknown.

#![allow(
    clippy::disallowed_macros,
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests read their cases and print their rates"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use holdpoint_usage::{Ecosystem, Package, Reach, SourceFile, Usage};

fn cases() -> Vec<(String, PathBuf)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/repos");
    let mut cases = Vec::new();
    for language in std::fs::read_dir(&root).unwrap().flatten() {
        for case in std::fs::read_dir(language.path()).unwrap().flatten() {
            cases.push((language.file_name().into_string().unwrap(), case.path()));
        }
    }
    cases.sort();
    cases
}

fn files(case: &Path) -> Vec<(String, String)> {
    let (mut files, mut open) = (Vec::new(), vec![case.to_owned()]);
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            let path = entry.path();
            let name = path.strip_prefix(case).unwrap().to_str().unwrap().to_owned();
            if path.is_dir() {
                open.push(path);
            } else if name != "labels" {
                files.push((name, std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    files.sort();
    files
}

fn usage(case: &Path) -> Usage {
    let files = files(case);
    Usage::of(files.iter().map(|(path, text)| SourceFile { path, text: Some(text) }))
}

fn labels(case: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(case.join("labels")).unwrap();
    text.lines().map(str::to_owned).collect()
}

fn question(words: &[&str]) -> (Package, Vec<String>) {
    let ecosystem = match words[0] {
        "pypi" => Ecosystem::Pypi,
        "npm" => Ecosystem::Npm,
        "cargo" => Ecosystem::Cargo,
        "golang" => Ecosystem::Golang,
        "maven" => Ecosystem::Maven,
        other => panic!("no such ecosystem: {other}"),
    };
    let (name, import_name) = words[1].split_once('=').unwrap_or((words[1], ""));
    let mut package = Package::new(ecosystem, name);
    package
        .import_names
        .extend((!import_name.is_empty()).then(|| import_name.to_owned()));
    let symbols = if words[2] == "-" {
        Vec::new()
    } else {
        vec![words[2].to_owned()]
    };
    (package, symbols)
}

#[test]
fn what_is_reached_is_never_called_not_reached() {
    let mut wrong = Vec::new();
    // Per language: questions, unknown answers.
    let mut tally: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    let mut names: BTreeMap<String, usize> = BTreeMap::new();
    let mut strict = 0;
    for (language, case) in cases() {
        *names.entry(language.clone()).or_default() += 1;
        let usage = usage(&case);
        for label in labels(&case).iter().filter(|label| !label.starts_with("callers ")) {
            let words: Vec<&str> = label.split(' ').collect();
            let (package, symbols) = question(&words);
            let reach = usage.reach(&package, &symbols);
            let fits = match words[3] {
                "hidden" => Some(matches!(reach, Reach::Unknown { .. })),
                "clearly-not-reached" => Some(matches!(reach, Reach::NotReached { .. })),
                _ => None,
            };
            if let Some(fits) = fits {
                strict += 1;
                if !fits {
                    wrong.push(format!("{}: {label}: {reach:?}", case.display()));
                }
                continue;
            }
            let (asked, unknown) = tally.entry(language.clone()).or_default();
            *asked += 1;
            let said = match &reach {
                Reach::Reached { .. } => "reached",
                Reach::NotReached { .. } => "not-reached",
                Reach::Unknown { because } => {
                    assert!(!because.is_empty());
                    *unknown += 1;
                    println!(
                        "{language}/{}: {label}: unknown: {because:?}",
                        case.file_name().unwrap().display()
                    );
                    continue;
                }
            };
            if said != words[3] {
                wrong.push(format!("{}: {label}: {reach:?}", case.display()));
            }
        }
    }
    for (language, (asked, unknown)) in &tally {
        println!(
            "{language}: {asked} questions, {unknown} unknown ({} %)",
            unknown * 100 / asked
        );
        assert!(names[language] >= 12, "{language} has too few cases");
        assert!(unknown * 2 <= *asked, "{language}: more than half is unknown");
    }
    println!("{strict} more, of which only one answer will do");
    assert!(strict >= 60);
    assert_eq!(tally.len(), 5);
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn what_only_tests_use_is_said_to_be_so() {
    for (_, case) in cases() {
        for label in labels(&case).iter().filter(|label| !label.starts_with("callers ")) {
            let words: Vec<&str> = label.split(' ').collect();
            let (package, symbols) = question(&words);
            if let Reach::Reached {
                reached_only_by_tests,
                path,
                ..
            } = usage(&case).reach(&package, &symbols)
            {
                assert_eq!(
                    reached_only_by_tests,
                    case.ends_with("tests-only"),
                    "{}",
                    case.display()
                );
                assert!(!path.is_empty(), "{}", case.display());
            }
        }
    }
}

#[test]
fn a_path_leads_from_an_entry_to_the_call() {
    let case = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/repos/python/lazy-import-in-a-function");
    let reach = usage(&case).reach(&Package::new(Ecosystem::Pypi, "PyYAML"), &["yaml.load".to_owned()]);
    let Reach::Reached { path, symbol, .. } = reach else {
        panic!("{reach:?}")
    };
    let lines: Vec<(u32, Option<&str>)> = path
        .iter()
        .map(|place| (place.line, place.function.as_deref()))
        .collect();
    assert_eq!(lines, [(11, None), (8, Some("main")), (4, Some("read"))]);
    assert_eq!(symbol.as_deref(), Some("yaml.load"));
}

#[test]
fn callers_are_the_files_that_use_it() {
    let mut checked = 0;
    for (_, case) in cases() {
        for label in labels(&case).iter().filter_map(|label| label.strip_prefix("callers ")) {
            let (path, users) = label.split_once(" = ").unwrap();
            let (users, complete) = users.rsplit_once(' ').unwrap();
            let callers = usage(&case).callers(path);
            let mut expected: Vec<&str> = users.split(' ').collect();
            expected.sort_unstable();
            assert_eq!(callers.paths, expected, "{}", case.display());
            assert_eq!(callers.complete, complete == "complete", "{}", case.display());
            checked += 1;
        }
    }
    assert!(checked >= 5);
}
