//! Test cases of graphql-js, where `HOLDPOINT_CORPORA` names a folder of them: the same changes with the same words.

#![allow(
    clippy::disallowed_macros,
    clippy::disallowed_methods,
    reason = "only the library is pure; this test reads the cases and prints the rates"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use holdpoint_contract::Level;
use holdpoint_contract::graphql::diff;
use serde::Deserialize;

#[derive(Deserialize)]
struct Case {
    test: String,
    kind: String,
    old: String,
    new: String,
    expected: Vec<Expected>,
}

#[derive(Deserialize)]
struct Expected {
    r#type: String,
    description: String,
}

#[test]
fn graphql_js_finds_the_same() {
    let folder = std::env::var_os("HOLDPOINT_CORPORA").map(PathBuf::from);
    let path = folder.map(|folder| folder.join("graphql/graphql-js.jsonl"));
    let Some(text) = path.and_then(|path| std::fs::read_to_string(path).ok()) else {
        println!("skipped: corpora absent");
        return;
    };
    let side = |text: String| BTreeMap::from([("schema.graphql".to_owned(), text)]);
    let (mut right, mut all) = (0, 0);
    for line in text.lines() {
        let case: Case = serde_json::from_str(line).unwrap();
        let level = if case.kind == "breaking" {
            Level::Error
        } else {
            Level::Warning
        };
        let found = diff(&side(case.old), &side(case.new)).unwrap();
        let changes = found.changes.iter().filter(|change| change.level == level);
        let found: BTreeSet<(String, String)> = changes.map(|c| (c.rule.clone(), c.text.clone())).collect();
        let expected: BTreeSet<_> = case.expected.into_iter().map(|e| (e.r#type, e.description)).collect();
        all += 1;
        if found == expected {
            right += 1;
        } else {
            println!("{}: expected {expected:#?}, found {found:#?}", case.test);
        }
    }
    println!("graphql: {right} of {all} as graphql-js");
    assert!(right * 100 >= all * 97, "{right} of {all}");
}
