//! Pairs of contracts and what must be said of them, as rows of `tests/verdicts/*.jsonl`: forth, and with the sides
//! swapped. A side compared with itself has no changes.

#![allow(clippy::disallowed_macros, reason = "only the library is pure")]

use std::collections::BTreeMap;

use holdpoint_contract::{Kind, SideOf};
use holdpoint_contract::{ContractDiff, DiffVerdict};
use serde::Deserialize;
use serde_json::{Value, json};

/// A pair of one kind.
#[derive(Deserialize)]
struct Row {
    name: String,
    /// A document, or text where the kind isn't JSON.
    base: Value,
    revision: Value,
    forth: DiffVerdict,
    back: DiffVerdict,
}

/// A pair of schemas: what a change means to who writes and to who reads by it.
#[derive(Deserialize)]
struct SchemaRow {
    name: String,
    base: Value,
    revision: Value,
    request: DiffVerdict,
    response: DiffVerdict,
}

fn rows<T: for<'de> Deserialize<'de>>(text: &str) -> Vec<T> {
    let lines = text.lines().filter(|line| !line.is_empty());
    lines
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect()
}

fn diff(kind: Kind, file: &str, base: &Value, revision: &Value) -> ContractDiff {
    let files = |value: &Value| {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        BTreeMap::from([(file.to_owned(), text)])
    };
    let (base, revision) = (files(base), files(revision));
    let side = |sources| SideOf { sources, root: file };
    kind.diff(side(&base), side(&revision), None)
        .unwrap_or_else(|error| panic!("{}", error.one_line()))
}

fn check(kind: Kind, file: &str, name: &str, (base, revision): (&Value, &Value), expected: DiffVerdict, wrong: &mut Vec<String>) {
    let found = diff(kind, file, base, revision);
    if found.verdict() != expected {
        wrong.push(format!("{name} ({kind:?}): {:?}, not {expected:?}: {:#?} {:?}", found.verdict(), found.changes, found.gaps));
    }
    for side in [base, revision] {
        let itself = diff(kind, file, side, side);
        if !itself.changes.is_empty() {
            wrong.push(format!("{name}: differs from itself: {:?}", itself.changes));
        }
    }
}

#[track_caller]
fn all_hold(kind: Kind, file: &str, text: &str) {
    let mut wrong = Vec::new();
    for row in rows::<Row>(text) {
        check(kind, file, &row.name, (&row.base, &row.revision), row.forth, &mut wrong);
        check(kind, file, &format!("{} backwards", row.name), (&row.revision, &row.base), row.back, &mut wrong);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// An API that reads or writes a value of this schema; `components` beside it become components.
fn api(schema: &Value, written: bool) -> Value {
    let content = json!({"content": {"application/json": {"schema": schema}}});
    let mut operation = json!({"responses": {"200": {"description": "ok"}}});
    match written {
        true => operation["requestBody"] = content,
        false => operation["responses"]["200"] = content,
    }
    json!({"openapi": "3.1.0", "paths": {"/a": {"post": operation}}})
}

#[test]
fn schemas_are_judged_by_who_writes_and_who_reads() {
    let mut wrong = Vec::new();
    for row in rows::<SchemaRow>(include_str!("verdicts/schemas.jsonl")) {
        for (written, expected) in [(true, row.request), (false, row.response)] {
            let sides = (&api(&row.base, written), &api(&row.revision, written));
            let name = format!("{} {}", row.name, if written { "written" } else { "read" });
            check(Kind::OpenApi, "api.json", &name, sides, expected, &mut wrong);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn json_schemas_keep_what_was_valid() {
    all_hold(Kind::JsonSchema, "schema.json", include_str!("verdicts/json_schema.jsonl"));
}
