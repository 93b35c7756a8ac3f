use super::*;
use serde_json::{Value, json};

pub(super) fn document(value: &Value) -> Document {
    Document::parse("api.json", &value.to_string()).unwrap()
}

/// An API of one operation with a request body and a response of these schemas.
pub(super) fn api(request: &Value, response: &Value) -> Value {
    json!({"openapi": "3.1.0", "paths": {"/items/{id}": {"post": {
        "parameters": [{"in": "path", "name": "id", "required": true, "schema": {"type": "string"}}],
        "requestBody": {"content": {"application/json": {"schema": request}}},
        "responses": {"200": {"description": "ok", "content": {"application/json": {"schema": response}}}}}}},
        "components": {"schemas": {"X": {"type": "string"}, "Y": {"type": "integer"},
            "Z": {"type": "object", "properties": {"z": {"type": "string"}}}}}})
}

pub(super) fn rules_of(base: &Value, revision: &Value) -> Vec<(String, Level)> {
    let found = diff(&document(base), &document(revision));
    assert_eq!(
        found.breaking,
        found.changes.iter().any(|change| change.level == Level::Error)
    );
    for change in &found.changes {
        assert!(
            rules::rule(&change.rule).is_some(),
            "{} isn't in the table",
            change.rule
        );
    }
    found
        .changes
        .into_iter()
        .map(|change| (change.rule, change.level))
        .collect()
}

#[track_caller]
pub(super) fn finds(base: &Value, revision: &Value, rule: &str, level: Level) {
    let found = rules_of(base, revision);
    assert!(found.contains(&(rule.to_owned(), level)), "{rule}: {found:?}");
}

pub(super) const INFO: Level = Level::Info;
pub(super) const WARNING: Level = Level::Warning;
pub(super) const ERROR: Level = Level::Error;

/// Each schema change as a property of a request and of a response: before, after, rule and level in either.
#[test]
fn a_schema_change_is_judged_by_its_direction() {
    let object = |inner: &Value| json!({"type": "object", "properties": {"a": inner}});
    let text = || json!({"type": "string"});
    let (x, y, z) = (
        json!({"$ref": "#/components/schemas/X"}),
        json!({"$ref": "#/components/schemas/Y"}),
        json!({"$ref": "#/components/schemas/Z"}),
    );
    let rows: Vec<(Value, Value, &str, Level, &str, Level)> = vec![
        (
            text(),
            json!({"type": "integer"}),
            "type-changed",
            ERROR,
            "type-changed",
            ERROR,
        ),
        (
            json!({"type": "integer"}),
            json!({"type": "number"}),
            "type-generalized",
            INFO,
            "type-generalized",
            ERROR,
        ),
        (
            json!({"type": "number"}),
            json!({"type": "integer"}),
            "type-changed",
            ERROR,
            "type-specialized",
            INFO,
        ),
        (text(), json!({}), "type-generalized", INFO, "type-generalized", ERROR),
        (
            text(),
            json!({"type": "string", "format": "date"}),
            "type-changed",
            ERROR,
            "type-specialized",
            INFO,
        ),
        (
            text(),
            json!({"type": ["string", "null"]}),
            "became-nullable",
            INFO,
            "became-nullable",
            ERROR,
        ),
        (
            text(),
            json!({"oneOf": [{"type": "null"}, text()]}),
            "became-nullable",
            INFO,
            "became-nullable",
            ERROR,
        ),
        (
            json!({"enum": ["a", "b"]}),
            json!({"enum": ["a"]}),
            "enum-value-removed",
            ERROR,
            "enum-value-removed",
            INFO,
        ),
        (
            json!({"enum": ["a"]}),
            json!({"enum": ["a", "b"]}),
            "enum-value-added",
            INFO,
            "enum-value-added",
            WARNING,
        ),
        (
            text(),
            json!({"type": "string", "enum": ["a"]}),
            "became-enum",
            ERROR,
            "became-enum",
            INFO,
        ),
        (
            json!({"const": 1}),
            json!({"const": 2}),
            "const-changed",
            ERROR,
            "const-changed",
            ERROR,
        ),
        (
            json!({"maxLength": 5}),
            json!({"maxLength": 4}),
            "max-length-decreased",
            ERROR,
            "max-length-decreased",
            INFO,
        ),
        (
            json!({"minLength": 5}),
            json!({"minLength": 4}),
            "min-length-decreased",
            INFO,
            "min-length-decreased",
            ERROR,
        ),
        (json!({}), json!({"maximum": 4}), "max-set", WARNING, "max-set", INFO),
        (
            json!({"maxItems": 4}),
            json!({}),
            "max-items-unset",
            INFO,
            "max-items-unset",
            ERROR,
        ),
        (
            json!({"multipleOf": 2}),
            json!({"multipleOf": 4}),
            "multiple-of-increased",
            ERROR,
            "multiple-of-increased",
            INFO,
        ),
        (
            json!({"maximum": 4, "exclusiveMaximum": true}),
            json!({"exclusiveMaximum": 5}),
            "exclusive-max-increased",
            INFO,
            "exclusive-max-increased",
            ERROR,
        ),
        (
            text(),
            json!({"type": "string", "pattern": "^a"}),
            "pattern-added",
            ERROR,
            "pattern-added",
            INFO,
        ),
        (
            json!({"pattern": "^a"}),
            json!({"pattern": ".*"}),
            "pattern-generalized",
            INFO,
            "pattern-generalized",
            WARNING,
        ),
        (
            json!({"oneOf": [x, y]}),
            json!({"oneOf": [x, y, z]}),
            "one-of-added",
            INFO,
            "one-of-added",
            ERROR,
        ),
        (
            json!({"anyOf": [x, y, z]}),
            json!({"anyOf": [x, z]}),
            "any-of-removed",
            ERROR,
            "any-of-removed",
            INFO,
        ),
        (
            json!({"allOf": [z]}),
            json!({"allOf": [z, {"required": ["q"]}]}),
            "all-of-added",
            ERROR,
            "all-of-added",
            INFO,
        ),
        (
            text(),
            json!({"oneOf": [text(), {"type": "integer"}]}),
            "list-of-types-widened",
            INFO,
            "list-of-types-widened",
            ERROR,
        ),
        (
            z.clone(),
            json!({"oneOf": [z, {"type": "object", "properties": {"q": text()}}]}),
            "wrapped-in-one-of",
            ERROR,
            "wrapped-in-one-of",
            ERROR,
        ),
        (
            json!({"not": x}),
            json!({"not": y}),
            "not-changed",
            ERROR,
            "not-changed",
            ERROR,
        ),
        (
            json!({"then": z}),
            json!({"if": x, "then": z}),
            "if-added",
            ERROR,
            "if-added",
            INFO,
        ),
        (
            json!({"contains": x}),
            json!({}),
            "contains-removed",
            INFO,
            "contains-removed",
            ERROR,
        ),
        (
            json!({"dependentRequired": {"a": ["b"]}}),
            json!({"dependentRequired": {"a": ["c"]}}),
            "dependent-required-changed",
            ERROR,
            "dependent-required-changed",
            ERROR,
        ),
        (
            json!({"type": "array", "prefixItems": [x]}),
            json!({"type": "array", "prefixItems": [x, y]}),
            "prefix-items-added",
            INFO,
            "prefix-items-added",
            ERROR,
        ),
        (
            json!({"patternProperties": {"^a": x}}),
            json!({}),
            "pattern-property-removed",
            INFO,
            "pattern-property-removed",
            ERROR,
        ),
        (
            json!({}),
            json!({"unevaluatedProperties": false}),
            "unevaluated-properties-added",
            ERROR,
            "unevaluated-properties-added",
            INFO,
        ),
        (
            text(),
            json!({"type": "string", "deprecated": true}),
            "deprecated",
            INFO,
            "deprecated",
            INFO,
        ),
        (
            text(),
            json!({"type": "string", "deprecated": true, "x-sunset": "soon"}),
            "deprecated-sunset-invalid",
            ERROR,
            "deprecated-sunset-invalid",
            ERROR,
        ),
    ];
    for (before, after, request, at_request, response, at_response) in rows {
        let (base, revision) = (
            api(&object(&before), &object(&before)),
            api(&object(&after), &object(&after)),
        );
        finds(&base, &revision, &format!("request-property-{request}"), at_request);
        finds(&base, &revision, &format!("response-property-{response}"), at_response);
    }
}

#[test]
fn another_way_to_write_the_same_is_no_change() {
    let z = json!({"$ref": "#/components/schemas/Z"});
    let written_out = json!({"type": "object", "properties": {"z": {"type": "string"}}});
    for (before, after) in [
        (z.clone(), written_out.clone()),
        (z.clone(), json!({"allOf": [z]})),
        (
            written_out,
            json!({"allOf": [{"type": "object"}, {"properties": {"z": {"type": "string"}}}]}),
        ),
        (
            json!({"type": "string", "nullable": true}),
            json!({"type": ["null", "string"]}),
        ),
        (
            json!({"oneOf": [{"type": "null"}, z]}),
            json!({"anyOf": [z, {"type": "null"}]}),
        ),
        (json!({"enum": ["a", "b"]}), json!({"enum": ["b", "a"]})),
        (
            json!({"type": "integer", "maximum": 4}),
            json!({"maximum": 4.0, "type": "integer", "description": "x"}),
        ),
        (
            json!({"maximum": 4, "exclusiveMaximum": true}),
            json!({"exclusiveMaximum": 4}),
        ),
    ] {
        assert_eq!(
            rules_of(&api(&before, &before), &api(&after, &after)),
            [],
            "{before} {after}"
        );
        assert_eq!(
            rules_of(&api(&after, &after), &api(&before, &before)),
            [],
            "{after} {before}"
        );
    }
}

#[test]
fn properties_that_come_go_and_become_required() {
    let with = |required: &[&str], names: &[&str]| {
        let properties: serde_json::Map<String, Value> = names
            .iter()
            .map(|name| ((*name).to_owned(), json!({"type": "string"})))
            .collect();
        let schema = json!({"type": "object", "required": required, "properties": properties});
        api(&schema, &schema)
    };
    let (none, optional, required) = (with(&[], &[]), with(&[], &["a"]), with(&["a"], &["a"]));
    finds(&none, &required, "new-required-request-property", ERROR);
    finds(&none, &optional, "new-optional-request-property", INFO);
    finds(&optional, &none, "request-property-removed", WARNING);
    finds(&optional, &required, "request-property-became-required", ERROR);
    finds(&required, &none, "response-required-property-removed", ERROR);
    finds(&optional, &none, "response-optional-property-removed", WARNING);
    finds(&required, &optional, "response-property-became-optional", ERROR);
    finds(&none, &required, "response-required-property-added", INFO);
}

#[test]
fn a_property_that_is_not_sent_in_a_direction_does_not_break_it() {
    let schema =
        |required: &[&str], inner: Value| json!({"type": "object", "required": required, "properties": {"id": inner}});
    let read_only = |kind: &str| json!({"type": kind, "readOnly": true});
    let before = schema(&[], read_only("string"));
    let base = api(&before, &json!({}));
    for (after, rule) in [
        (
            schema(&["id"], read_only("string")),
            "request-read-only-property-became-required",
        ),
        (
            schema(&[], read_only("integer")),
            "request-read-only-property-type-changed",
        ),
    ] {
        finds(&base, &api(&after, &json!({})), rule, INFO);
    }
    let gone = api(&json!({}), &json!({"type": "object", "properties": {}}));
    let secret = json!({"type": "object", "required": ["id"], "properties": {"id": {"writeOnly": true}}});
    finds(
        &api(&json!({}), &secret),
        &gone,
        "response-required-write-only-property-removed",
        INFO,
    );
}

#[test]
fn every_rule_is_explained_once_and_its_opposite_exists() {
    let all = rules::rules();
    let mut ids: Vec<&str> = all.iter().map(|rule| rule.id.as_str()).collect();
    ids.sort_unstable();
    let doubled: Vec<_> = ids.windows(2).filter(|pair| pair[0] == pair[1]).collect();
    assert!(doubled.is_empty(), "{doubled:?}");
    assert!(all.len() >= 500, "{}", all.len());
    for rule in &all {
        assert!(!rule.explanation.is_empty());
        if let Some(opposite) = &rule.opposite {
            assert!(
                ids.binary_search(&opposite.as_str()).is_ok(),
                "{} -> {opposite}",
                rule.id
            );
        }
    }
}
