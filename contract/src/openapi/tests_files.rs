use super::tests::{ERROR, finds, rules_of};
use super::*;
use serde_json::{Value, json};
use std::collections::BTreeMap;

#[test]
fn a_description_of_several_files_is_read_as_one() {
    let files = |kind: &str| -> BTreeMap<String, String> {
        let root = "openapi: 3.0.3\npaths:\n  /a:\n    $ref: 'paths/a.yaml#/item'\n";
        let item = "item:\n  get:\n    responses:\n      200:\n        content:\n          application/json:\n            schema: {$ref: ../../common/s.json}\n";
        let schema =
            format!(r##"{{"type": "object", "properties": {{"p": {{"type": "{kind}"}}, "self": {{"$ref": "#"}}}}}}"##);
        let named = [
            ("apis/api.yaml", root),
            ("apis/paths/a.yaml", item),
            ("common/s.json", &schema),
        ];
        named
            .into_iter()
            .map(|(name, text)| (name.to_owned(), text.to_owned()))
            .collect()
    };
    let load = |files: &BTreeMap<String, String>| Document::load("apis/api.yaml", files).unwrap();
    let (text, number) = (files("string"), files("integer"));
    let found = diff(&load(&text), &load(&number));
    assert_eq!(found.gaps, []);
    assert_eq!(found.changes.len(), 1, "{:?}", found.changes);
    assert_eq!(found.changes[0].rule, "response-property-type-changed");
    assert_eq!(
        diff(&load(&text), &load(&text)).verdict(),
        crate::DiffVerdict::Compatible
    );
}

#[test]
fn what_can_not_be_seen_is_a_gap_and_never_nothing_breaks() {
    for (reference, word) in [
        ("#/nope", "leads nowhere"),
        ("gone.yaml#/a", "there is no such file"),
        ("../../out.yaml", "outside"),
        ("https://example.org/a.yaml", "network"),
        ("broken.yaml", "broken.yaml:1"),
    ] {
        let root = format!("openapi: 3.0.0\npaths:\n  /a:\n    $ref: '{reference}'\n");
        let files = BTreeMap::from([
            ("api.yaml".to_owned(), root),
            ("broken.yaml".to_owned(), "a: [".to_owned()),
        ]);
        let document = Document::load("api.yaml", &files).unwrap();
        let found = diff(&document, &document);
        assert_eq!(found.changes, []);
        assert_eq!(found.verdict(), crate::DiffVerdict::Inconclusive, "{reference}");
        let gap = &found.gaps[0];
        assert!(gap.text.contains(word), "{gap:?}");
        assert_eq!(gap.place, "api.yaml:4");
    }
}

#[test]
fn what_is_no_description_is_an_error_with_help() {
    for (text, word) in [
        ("", "openapi"),
        ("[]", "openapi"),
        ("swagger: '1.2'\n", "1.2"),
        ("openapi: 4.0.0\n", "4.0.0"),
        ("openapi: 3.0.0\npaths: []\n", "`paths`"),
        ("openapi: 3.0.0\npaths: {\n", "api.yaml"),
    ] {
        let error = Document::parse("api.yaml", text).unwrap_err();
        assert!(error.one_line().contains(word), "{text}: {}", error.one_line());
        assert!(error.help_line().is_some());
    }
    let error = Document::parse("api.json", &" ".repeat(33 << 20)).unwrap_err();
    assert!(error.one_line().contains("bytes"), "{}", error.one_line());
    assert!(Document::load("nope.yaml", &BTreeMap::new()).is_err());
}

#[test]
fn version_2_is_compared_as_version_3() {
    let api = |kind: &str, body: &Value| {
        json!({"swagger": "2.0", "host": "a.example", "basePath": "/v1", "consumes": ["application/json"],
            "definitions": {"D": {"type": "object", "properties": {"p": {"type": kind}}}},
            "paths": {"/a": {"post": {"parameters": [
                {"in": "body", "name": "b", "required": true, "schema": body},
                {"in": "query", "name": "q", "type": "array", "items": {"type": "string"}, "collectionFormat": "multi"}],
                "responses": {"200": {"schema": {"$ref": "#/definitions/D"}}}}}}})
    };
    let d = json!({"$ref": "#/definitions/D"});
    let base = api("string", &d);
    assert_eq!(rules_of(&base, &base), []);
    finds(&base, &api("integer", &d), "request-property-type-changed", ERROR);
    finds(&base, &api("integer", &d), "response-property-type-changed", ERROR);
    let as_3 = json!({"openapi": "3.0.3", "servers": [{"url": "https://a.example/v1"}],
        "components": {"schemas": {"D": {"type": "object", "properties": {"p": {"type": "string"}}}}},
        "paths": {"/a": {"post": {
            "parameters": [{"in": "query", "name": "q", "schema": {"type": "array", "items": {"type": "string"}}}],
            "requestBody": {"required": true, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/D"}}}},
            "responses": {"200": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/D"}}}}}}}}});
    assert_eq!(rules_of(&base, &as_3), []);
}

#[test]
fn alternatives_of_alternatives_end_in_bounded_time_and_say_so() {
    // All alike but at the end: each of three alternatives is tried against each of three, level after level.
    let nest = |leaf: &str| {
        let mut schemas = serde_json::Map::from_iter([("N0".to_owned(), json!({"type": leaf}))]);
        for level in 1..=12 {
            let below = json!({"$ref": format!("#/components/schemas/N{}", level - 1)});
            let object = |name: &str| json!({"type": "object", "properties": {"p": below, name: {"type": "string"}}});
            schemas.insert(
                format!("N{level}"),
                json!({"oneOf": [object("a"), object("a"), object("a")]}),
            );
        }
        let response = json!({"content": {"application/json": {"schema": {"$ref": "#/components/schemas/N12"}}}});
        json!({"openapi": "3.1.0", "paths": {"/a": {"get": {"responses": {"200": response}}}},
            "components": {"schemas": schemas}})
    };
    let read = |value: &Value| Document::parse("api.json", &value.to_string()).unwrap();
    let (base, revision) = (read(&nest("string")), read(&nest("integer")));
    assert_ne!(diff(&base, &revision).verdict(), crate::DiffVerdict::Compatible);
    assert_eq!(diff(&base, &base).verdict(), crate::DiffVerdict::Compatible);
}
