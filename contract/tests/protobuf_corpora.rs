//! buf's own test cases, where `HOLDPOINT_CORPORA` names a folder of them: every expected finding is found, and each
//! category has as many as buf finds.

#![allow(
    clippy::disallowed_macros,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "only the library is pure; this test reads the cases and prints the rates"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use holdpoint_contract::protobuf::{ProtobufConfig, diff, diff_with};
use holdpoint_contract::{Change, Level};
use serde::Deserialize;

#[derive(Deserialize)]
struct Case {
    dir: String,
    buf_yaml: String,
    expected: Vec<Expected>,
    category_counts: BTreeMap<String, usize>,
}

#[derive(Deserialize)]
struct Expected {
    path: Option<String>,
    start_line: Option<usize>,
    rule: String,
}

fn folder(root: &Path, below: &Path, into: &mut BTreeMap<String, String>) {
    for entry in std::fs::read_dir(below).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            folder(root, &path, into);
        } else if let Ok(text) = std::fs::read_to_string(&path) {
            let name = path.strip_prefix(root).unwrap().to_str().unwrap();
            into.insert(name.replace('\\', "/"), text);
        }
    }
}

fn is_expected(change: &Change, expected: &Expected) -> bool {
    let same_line = expected.start_line.is_none() || expected.start_line == change.line;
    let same_path = expected.path.as_ref().is_none_or(|path| *path == change.path);
    change.rule == expected.rule && same_path && same_line
}

#[test]
fn buf_finds_the_same() {
    let root = std::env::var_os("HOLDPOINT_CORPORA").map(|root| PathBuf::from(root).join("protobuf"));
    let Some((root, text)) =
        root.and_then(|root| Some((root.clone(), std::fs::read_to_string(root.join("cases.json")).ok()?)))
    else {
        println!("skipped: corpora absent");
        return;
    };
    let cases: Vec<Case> = serde_json::from_str(&text).unwrap();
    let (mut wanted, mut found, mut surplus, mut wrong_counts) = (0, 0, 0, 0);
    for case in &cases {
        let side = |name: &str| {
            let mut files = BTreeMap::new();
            let below = root.join(name).join(&case.dir);
            folder(&below, &below, &mut files);
            files
        };
        let (base, revision) = (side("previous"), side("current"));
        let all = diff(&base, &revision).unwrap();
        assert!(all.gaps.is_empty(), "{}: {:?}", case.dir, all.gaps);
        let config = ProtobufConfig::parse("buf.yaml", &case.buf_yaml).unwrap();
        let configured = diff_with(&base, &revision, &config).unwrap();
        let mut left: Vec<&Change> = configured
            .changes
            .iter()
            .filter(|change| change.level == Level::Error)
            .collect();
        // Those that name most first: the others fit more than one.
        let mut all_expected: Vec<&Expected> = case.expected.iter().collect();
        all_expected.sort_by_key(|expected| (expected.start_line.is_none(), expected.path.is_none()));
        for expected in all_expected {
            wanted += 1;
            match left.iter().position(|change| is_expected(change, expected)) {
                Some(index) => {
                    found += 1;
                    left.remove(index);
                }
                None => println!(
                    "{}: not found: {} {:?}:{:?}",
                    case.dir, expected.rule, expected.path, expected.start_line
                ),
            }
        }
        // What is ignored is relative to a root that the configuration of the cases leaves out.
        if config.ignore.is_empty() {
            surplus += left.len();
        }
        for change in left {
            println!("{}: surplus: {change:?}", case.dir);
        }
        for (category, count) in &case.category_counts {
            let changes = all.changes.iter();
            let found = changes.filter(|change| change.categories.contains(category)).count();
            if found != *count {
                println!("{}: {category}: expected {count}, found {found}", case.dir);
            }
            let off = found.abs_diff(*count) * 20 > *count || (found > 0) != (*count > 0);
            wrong_counts += usize::from(off);
        }
    }
    println!("protobuf: {found} of {wanted} findings, {surplus} more than buf, {wrong_counts} counts wrong");
    assert_eq!((found, surplus, wrong_counts), (wanted, 0, 0));
}
