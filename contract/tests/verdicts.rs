//! Pairs of contracts and what must be said of them, as rows of `tests/verdicts/*.jsonl`: forth, and with the sides
//! swapped. A side compared with itself has no changes.

#![allow(
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that finds something else than it expects must fail"
)]

use std::collections::BTreeMap;

use holdpoint_contract::{ContractDiff, DiffVerdict};
use holdpoint_contract::{Kind, SideOf};
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

fn check(
    kind: Kind,
    file: &str,
    name: &str,
    (base, revision): (&Value, &Value),
    expected: DiffVerdict,
    wrong: &mut Vec<String>,
) {
    let found = diff(kind, file, base, revision);
    if found.verdict() != expected {
        wrong.push(format!(
            "{name} ({kind:?}): {:?}, not {expected:?}: {:#?} {:?}",
            found.verdict(),
            found.changes,
            found.gaps
        ));
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
        check(
            kind,
            file,
            &format!("{} backwards", row.name),
            (&row.revision, &row.base),
            row.back,
            &mut wrong,
        );
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
    all_hold(
        Kind::JsonSchema,
        "schema.json",
        include_str!("verdicts/json_schema.jsonl"),
    );
}

#[test]
fn descriptions_are_judged_as_a_whole() {
    all_hold(Kind::OpenApi, "api.json", include_str!("verdicts/openapi.jsonl"));
}

/// A chain of objects `$.n.n…` of this length, the innermost with a leaf of this type.
fn chain(length: usize, leaf: &str) -> Value {
    let link = |at: usize| json!({"type": "object", "properties": {"n": {"$ref": format!("#/$defs/s{}", at + 1)}}});
    let mut all: serde_json::Map<String, Value> = (0..length).map(|at| (format!("s{at}"), link(at))).collect();
    all.insert(
        format!("s{length}"),
        json!({"type": "object", "properties": {"leaf": {"type": leaf}}}),
    );
    json!({"$ref": "#/$defs/s0", "$defs": all})
}

#[track_caller]
fn says(base: &Value, revision: &Value, expected: DiffVerdict) {
    let found = diff(Kind::JsonSchema, "schema.json", base, revision);
    assert_eq!(found.verdict(), expected, "{:?} {:?}", found.changes, found.gaps);
}

#[test]
fn whatever_a_bound_cuts_is_never_called_compatible() {
    use DiffVerdict::{Breaking, Compatible, Inconclusive};
    says(&chain(150, "string"), &chain(150, "integer"), Breaking);
    says(&chain(500, "string"), &chain(500, "integer"), Inconclusive);
    says(&chain(500, "string"), &chain(500, "string"), Compatible);
    // Near the root, and at the end of a way that is walked first and is too long.
    let both = |leaf: &str| {
        let mut root = chain(200, leaf);
        root["properties"] = json!({"a": {"$ref": "#/$defs/s0"}, "b": {"$ref": "#/$defs/s200"}});
        root
    };
    says(&both("string"), &both("integer"), Breaking);
    let wide = |count: usize, last: &str| {
        let part = |at: usize| json!({"properties": {format!("p{at}"): {"type": "string"}}});
        let mut parts: Vec<Value> = (0..count).map(part).collect();
        parts.push(json!({"properties": {"last": {"type": last}}}));
        json!({"allOf": parts})
    };
    says(&wide(300, "string"), &wide(300, "integer"), Breaking);
    says(&wide(1_500, "string"), &wide(1_500, "integer"), Inconclusive);
    let hops = |count: usize, last: &str| {
        let hop = |at: usize| (format!("h{at}"), json!({"$ref": format!("#/$defs/h{}", at + 1)}));
        let mut all: serde_json::Map<String, Value> = (0..count).map(hop).collect();
        all.insert(format!("h{count}"), json!({"type": last}));
        json!({"properties": {"a": {"$ref": "#/$defs/h0"}}, "$defs": all})
    };
    says(&hops(5_000, "string"), &hops(5_000, "integer"), Breaking);
}

#[test]
fn what_stands_beside_each_reference_of_a_chain_counts() {
    let schema = |length: u32| {
        json!({"properties": {"a": {"$ref": "#/$defs/x", "minLength": 1}},
            "$defs": {"x": {"$ref": "#/$defs/y", "maxLength": length}, "y": {"type": "string"}}})
    };
    says(&schema(9), &schema(5), DiffVerdict::Breaking);
}

#[test]
fn messages_are_judged_by_who_sends_them() {
    all_hold(Kind::AsyncApi, "asyncapi.json", include_str!("verdicts/asyncapi.jsonl"));
}

#[test]
fn graphql_operations_stay_valid() {
    all_hold(Kind::GraphQl, "schema.graphql", include_str!("verdicts/graphql.jsonl"));
}

#[test]
fn migrations_leave_what_is_used() {
    all_hold(Kind::Sql, "schema.sql", include_str!("verdicts/sql.jsonl"));
}

#[test]
fn another_address_is_told() {
    let path =
        |servers: Value| json!({"openapi": "3.0.3", "paths": {"/a": {"servers": servers, "get": {"responses": {}}}}});
    let rules = |base: &Value, revision: &Value| -> Vec<String> {
        let found = diff(Kind::OpenApi, "api.json", base, revision);
        found.changes.into_iter().map(|change| change.rule).collect()
    };
    let (none, some) = (path(json!([])), path(json!([{"url": "https://b.example"}])));
    assert_eq!(rules(&none, &some), ["api-server-removed", "api-server-added"]);
    let variable =
        |values: &[&str]| path(json!([{"url": "https://{v}", "variables": {"v": {"enum": values, "default": "a"}}}]));
    assert_eq!(rules(&variable(&["a", "b"]), &variable(&["a"])), ["api-server-removed"]);
}

#[test]
fn the_documentation_names_rules_that_exist() {
    let known: Vec<String> = holdpoint_contract::kind::all_rules()
        .into_iter()
        .map(|rule| rule.id)
        .collect();
    let named = include_str!("../../docs/contract.md")
        .lines()
        .filter_map(|line| line.trim().strip_prefix("- rule: "));
    let named: Vec<&str> = named.collect();
    assert!(!named.is_empty());
    assert!(
        named.iter().all(|rule| known.iter().any(|known| known == rule)),
        "{named:?}"
    );
}
