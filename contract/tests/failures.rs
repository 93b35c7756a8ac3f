//! Logs of builds that dependency updates broke (BUMP), where `HOLDPOINT_CORPORA` names the folder of cases: the rates
//! per category are printed, and may not fall.

#![allow(
    clippy::disallowed_macros,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "only the library is pure; this test reads the logs and prints the rates"
)]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that finds something else than it expects must fail"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::path::PathBuf;

use holdpoint_contract::failures::{Category, Classifier, classify};
use proptest::prelude::*;
use serde::Deserialize;

/// Rows from which on a rate says something.
const ENOUGH: usize = 30;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Case {
    failure_category: String,
    log: String,
}

fn category(label: &str) -> Category {
    match label {
        "COMPILATION_FAILURE" => Category::Build,
        "TEST_FAILURE" => Category::Test,
        "ENFORCER_FAILURE" => Category::Policy,
        "WERROR_FAILURE" => Category::Lint,
        "DEPENDENCY_RESOLUTION_FAILURE" => Category::Resolution,
        "DEPENDENCY_LOCK_FAILURE" => Category::Lock,
        other => panic!("a new label `{other}`"),
    }
}

#[test]
fn updates_that_broke_a_build_are_told_apart_as_people_did() {
    let folder = std::env::var_os("HOLDPOINT_CORPORA").map(|folder| PathBuf::from(folder).join("breaking-updates"));
    let Some((folder, cases)) = folder.and_then(|folder| {
        let cases = std::fs::read_to_string(folder.join("cases.jsonl")).ok()?;
        Some((folder, cases))
    }) else {
        println!("skipped: corpora absent");
        return;
    };
    let mut counts: BTreeMap<(Category, Category), usize> = BTreeMap::new();
    for line in cases.lines() {
        let case: Case = serde_json::from_str(line).unwrap();
        let mut log = flate2::read::GzDecoder::new(std::fs::File::open(folder.join(&case.log)).unwrap());
        let mut classifier = Classifier::new();
        let mut buffer = vec![0; 1 << 16];
        loop {
            let read = log.read(&mut buffer).unwrap();
            if read == 0 {
                break;
            }
            classifier.push(&buffer[..read]);
        }
        let (expected, found) = (category(&case.failure_category), classifier.finish());
        if found.category != expected {
            println!(
                "{}: {} and not {}",
                case.log,
                found.category.as_str(),
                expected.as_str()
            );
            found
                .lines
                .iter()
                .for_each(|line| println!("    {}: {}", line.line, line.text));
        }
        assert!(!found.lines.is_empty(), "{}: no line says so", case.log);
        *counts.entry((expected, found.category)).or_default() += 1;
    }
    for category in Category::ALL {
        let sum = |keep: &dyn Fn(Category, Category) -> bool| -> usize {
            let kept = counts.iter().filter(|((expected, found), _)| keep(*expected, *found));
            kept.map(|(_, number)| number).sum()
        };
        let right = sum(&|expected, found| expected == category && found == category);
        let (expected, found) = (sum(&|e, _| e == category), sum(&|_, f| f == category));
        if expected + found == 0 {
            continue;
        }
        // F1 in thousandths: 2·right / (expected + found).
        let f1 = 2_000 * right / (expected + found);
        println!(
            "{}: {expected} rows, {found} found, {right} right, F1 {}.{:03}",
            category.as_str(),
            f1 / 1_000,
            f1 % 1_000
        );
        assert!(
            expected < ENOUGH || f1 >= 900,
            "{} falls to an F1 of {f1} thousandths",
            category.as_str()
        );
    }
}

/// Logs of our own, by tool: `=== category: what` and the lines that matter.
const FIXTURES: &[(&str, &str)] = &[
    ("maven", include_str!("failures/maven.txt")),
    ("gradle", include_str!("failures/gradle.txt")),
    ("node", include_str!("failures/node.txt")),
    ("python", include_str!("failures/python.txt")),
    ("cargo", include_str!("failures/cargo.txt")),
    ("go", include_str!("failures/go.txt")),
    ("other", include_str!("failures/other.txt")),
];

/// The fixtures: tool, category, what it is about, log.
fn fixtures() -> impl Iterator<Item = (&'static str, Category, &'static str, &'static str)> {
    FIXTURES.iter().flat_map(|(tool, text)| {
        let sections = text.trim_start_matches("=== ").split("\n=== ");
        sections.map(|section| {
            let (head, log) = section.split_once('\n').unwrap();
            let (name, what) = head.split_once(": ").unwrap();
            let category = Category::ALL.into_iter().find(|category| category.as_str() == name);
            (*tool, category.unwrap(), what, log)
        })
    })
}

#[test]
fn every_tool_has_a_log_of_every_category() {
    let known: BTreeSet<_> = fixtures().map(|(tool, category, ..)| (tool, category)).collect();
    for (tool, _) in FIXTURES.iter().filter(|(tool, _)| *tool != "other") {
        for category in Category::ALL
            .into_iter()
            .filter(|category| *category != Category::Unknown)
        {
            assert!(
                known.contains(&(*tool, category)),
                "{tool} has no log of {}",
                category.as_str()
            );
        }
    }
}

#[test]
fn every_log_is_told_apart_and_so_it_is_in_colours_with_times_after_a_long_prelude() {
    let prelude = "[INFO] Downloading something\n".repeat(300);
    let mut wrong = Vec::new();
    for (tool, category, what, log) in fixtures() {
        let dress = |line| format!("2026-03-17T02:30:00.1234567Z \x1b[1;31m{line}\x1b[m\r\n");
        let dressed: String = log.lines().map(dress).collect();
        for (form, text) in [("plain", log.to_owned()), ("dressed", format!("{prelude}{dressed}"))] {
            let found = classify(text.as_bytes());
            if found.category != category {
                wrong.push(format!(
                    "{tool}, {what}, {form}: {} and not {}",
                    found.category.as_str(),
                    category.as_str()
                ));
            } else if category != Category::Unknown {
                assert!(!found.lines.is_empty(), "{tool}, {what}: no line says so");
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_bytes_in_any_pieces_give_the_same_bounded_answer(
        picked in prop::collection::vec((0..FIXTURES.len(), 0..4_000_usize, 0..400_usize), 0..6),
        noise in prop::collection::vec(any::<u8>(), 0..200),
        cut in 1..300_usize,
    ) {
        let mut log = noise.clone();
        for (at, start, length) in picked {
            let text = FIXTURES[at].1.as_bytes();
            log.extend(text.iter().skip(start).take(length));
            log.extend(&noise);
        }
        let whole = classify(&log);
        let mut classifier = Classifier::new();
        log.chunks(cut).for_each(|piece| classifier.push(piece));
        prop_assert_eq!(&classifier.finish(), &whole);
        prop_assert!(whole.lines.len() <= 20);
        let numbers: Vec<u64> = whole.lines.iter().map(|line| line.line).collect();
        prop_assert!(numbers.is_sorted());
        prop_assert!(whole.lines.iter().all(|line| line.text.chars().count() <= 400));
        prop_assert_eq!(whole.category == Category::Unknown, whole.lines.is_empty());
    }
}
