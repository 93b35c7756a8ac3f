use std::collections::{BTreeMap, BTreeSet};

use super::*;
use serde_json::{Value, json};

fn compare(base: &Value, revision: &Value) -> Result<ContractDiff, ContractError> {
    let files = |value: &Value| BTreeMap::from([("a.json".to_owned(), value.to_string())]);
    diff(("a.json", &files(base)), ("a.json", &files(revision)))
}

fn version_2(way: &str, kind: &str) -> Value {
    let payload = json!({"type": "object", "properties": {"p": {"type": kind}}});
    json!({"asyncapi": "2.6.0", "channels": {"c": {way: {"message": {"payload": payload}}}}})
}

fn version_3(action: &str, kind: &str) -> Value {
    json!({"asyncapi": "3.0.0",
        "channels": {"c": {"messages": {"m": {"payload": {"type": "object", "properties": {"p": {"type": kind}}}}}}},
        "operations": {"o": {"action": action, "channel": {"$ref": "#/channels/c"}}}})
}

#[test]
fn a_payload_is_judged_by_who_writes_it() {
    let known: BTreeSet<String> = rules().into_iter().map(|rule| rule.id).collect();
    for (base, revision, rule, breaking) in [
        (
            version_2("publish", "integer"),
            version_2("publish", "number"),
            "written-type-generalized",
            false,
        ),
        (
            version_2("subscribe", "integer"),
            version_2("subscribe", "number"),
            "read-type-generalized",
            true,
        ),
        (
            version_3("receive", "number"),
            version_3("receive", "integer"),
            "written-type-specialized",
            true,
        ),
        (
            version_3("send", "number"),
            version_3("send", "integer"),
            "read-type-specialized",
            false,
        ),
    ] {
        let found = compare(&base, &revision).unwrap();
        assert_eq!(found.changes.len(), 1, "{:?}", found.changes);
        assert_eq!(found.changes[0].rule, rule);
        assert!(known.contains(rule));
        assert_eq!(found.breaking, breaking, "{rule}");
        assert_eq!(compare(&base, &base).unwrap().changes, []);
    }
}

#[test]
fn channels_that_go_break_and_unknown_formats_are_gaps() {
    let (some, none) = (
        version_2("publish", "string"),
        json!({"asyncapi": "2.6.0", "channels": {}}),
    );
    assert!(compare(&some, &none).unwrap().breaking);
    assert!(!compare(&none, &some).unwrap().breaking);
    let avro = |name: &str| {
        json!({"asyncapi": "2.6.0", "channels": {"c": {"publish": {"message": {
            "schemaFormat": "application/vnd.apache.avro+json;version=1.9.0", "payload": {"name": name}}}}}})
    };
    assert_eq!(
        compare(&avro("a"), &avro("b")).unwrap().verdict(),
        crate::DiffVerdict::Inconclusive
    );
    assert!(compare(&json!({"openapi": "3.0.0"}), &some).is_err());
}
