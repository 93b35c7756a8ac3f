use super::*;
use serde_json::{Value, json};
use std::collections::BTreeMap;

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
fn finds(base: &Value, revision: &Value, rule: &str, level: Level) {
    let found = rules_of(base, revision);
    assert!(found.contains(&(rule.to_owned(), level)), "{rule}: {found:?}");
}

const INFO: Level = Level::Info;
const WARNING: Level = Level::Warning;
const ERROR: Level = Level::Error;

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
        (json!({}), json!({"if": x}), "if-added", ERROR, "if-added", INFO),
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
fn operations_parameters_statuses_media_types_and_headers() {
    let base = json!({"openapi": "3.0.3", "paths": {"/a/{x}": {
        "parameters": [{"in": "path", "name": "x", "required": true}, {"in": "query", "name": "q", "schema": {"type": "array"}}],
        "get": {"tags": ["t"], "responses": {"200": {"content": {"application/json": {}, "text/csv": {}}, "headers": {
            "X-Total": {"required": true, "schema": {"type": "integer"}}}}, "404": {}}},
        "delete": {"responses": {"204": {}}}}, "/b": {"get": {}}},
        "servers": [{"url": "https://a.example"}], "security": [{"key": []}]});
    let edit = |change: &dyn Fn(&mut Value)| {
        let mut edited = base.clone();
        change(&mut edited);
        edited
    };
    let remove = |value: &mut Value, key: &str| drop(value.as_object_mut().unwrap().remove(key));
    let item = "/a/{x}";
    for (revision, rule, level) in [
        (
            edit(&|d| remove(&mut d["paths"], "/b")),
            "api-path-removed-without-deprecation",
            ERROR,
        ),
        (
            edit(&|d| remove(&mut d["paths"][item], "delete")),
            "api-removed-without-deprecation",
            ERROR,
        ),
        (edit(&|d| d["paths"][item]["put"] = json!({})), "endpoint-added", INFO),
        (
            edit(&|d| d["paths"][item]["parameters"][1]["required"] = json!(true)),
            "request-parameter-became-required",
            ERROR,
        ),
        (
            edit(&|d| d["paths"][item]["parameters"][1]["explode"] = json!(false)),
            "request-parameter-serialization-changed",
            ERROR,
        ),
        (
            edit(&|d| drop(d["paths"][item]["parameters"].as_array_mut().unwrap().pop())),
            "request-parameter-removed",
            WARNING,
        ),
        (
            edit(&|d| d["paths"][item]["get"]["parameters"] = json!([{"in": "header", "name": "H", "required": true}])),
            "new-required-request-parameter",
            ERROR,
        ),
        (
            edit(&|d| d["paths"][item]["get"]["requestBody"] = json!({"required": true, "content": {}})),
            "request-body-added-required",
            ERROR,
        ),
        (
            edit(&|d| remove(&mut d["paths"][item]["delete"]["responses"], "204")),
            "response-success-status-removed",
            ERROR,
        ),
        (
            edit(&|d| remove(&mut d["paths"][item]["get"]["responses"], "404")),
            "response-non-success-status-removed",
            INFO,
        ),
        (
            edit(&|d| remove(&mut d["paths"][item]["get"]["responses"]["200"]["content"], "text/csv")),
            "response-media-type-removed",
            ERROR,
        ),
        (
            edit(&|d| d["paths"][item]["get"]["responses"]["200"]["headers"] = json!({})),
            "required-response-header-removed",
            ERROR,
        ),
        (
            edit(&|d| d["paths"][item]["get"]["responses"]["200"]["headers"]["X-Total"]["required"] = json!(false)),
            "response-header-became-optional",
            ERROR,
        ),
        (
            edit(&|d| {
                d["paths"][item]["get"]["responses"]["200"]["headers"]["X-Total"]["schema"] = json!({"type": "object"})
            }),
            "response-header-type-changed",
            ERROR,
        ),
        (
            edit(&|d| d["paths"][item]["get"]["tags"] = json!([])),
            "api-tag-removed",
            INFO,
        ),
        (
            edit(&|d| d["paths"][item]["get"]["operationId"] = json!("o")),
            "api-operation-id-added",
            INFO,
        ),
        (
            edit(&|d| d["paths"][item]["get"]["deprecated"] = json!(true)),
            "endpoint-deprecated",
            INFO,
        ),
        (
            edit(&|d| d["paths"][item]["get"]["x-stability-level"] = json!("beta")),
            "api-stability-decreased",
            ERROR,
        ),
        (
            edit(&|d| d["paths"][item]["get"]["security"] = json!([])),
            "api-security-became-optional",
            INFO,
        ),
        (
            edit(&|d| d["security"] = json!([{"other": []}])),
            "api-global-security-removed",
            WARNING,
        ),
        (
            edit(&|d| d["servers"] = json!([{"url": "https://b.example"}])),
            "api-server-removed",
            WARNING,
        ),
        (
            edit(&|d| d["webhooks"] = json!({"w": {"post": {}}})),
            "webhook-added",
            INFO,
        ),
    ] {
        finds(&base, &revision, rule, level);
    }
}

#[test]
fn credentials_that_were_not_needed_before_break_clients() {
    let (open, closed) = (json!([]), json!([{"key": []}]));
    let with = |security: &Value| {
        let mut api = api(&json!({}), &json!({}));
        api["paths"]["/items/{id}"]["post"]["security"] = security.clone();
        api
    };
    finds(&with(&open), &with(&closed), "api-security-became-required", ERROR);
    let either = json!([{"key": []}, {}]);
    assert!(!diff(&document(&with(&open)), &document(&with(&either))).breaking);
}

#[test]
fn what_the_server_asks_of_a_client_is_judged_the_other_way_round() {
    let with = |schema: Value| {
        let operation = json!({"post": {"requestBody": {"content": {"application/json": {"schema": schema}}}}});
        let mut api = api(&json!({}), &json!({}));
        api["webhooks"] = json!({"told": operation});
        api["paths"]["/items/{id}"]["post"]["callbacks"] = json!({"done": {"{$request.body#/url}": operation}});
        api
    };
    let (few, many) = (with(json!({"enum": ["a"]})), with(json!({"enum": ["a", "b"]})));
    finds(&few, &many, "response-body-enum-value-added", WARNING);
    let (optional, required) = (
        with(json!({"type": "object", "properties": {"p": {}}})),
        with(json!({"type": "object", "properties": {"p": {}}, "required": ["p"]})),
    );
    assert!(!diff(&document(&optional), &document(&required)).breaking);
    assert!(diff(&document(&required), &document(&optional)).breaking);
}

#[test]
fn what_was_deprecated_long_enough_may_go() {
    let with = |sunset: Option<&str>| {
        let mut api = api(&json!({}), &json!({}));
        api["paths"]["/items/{id}"]["post"]["deprecated"] = json!(true);
        if let Some(sunset) = sunset {
            api["paths"]["/items/{id}"]["post"]["x-sunset"] = json!(sunset);
        }
        document(&api)
    };
    let gone = document(&json!({"openapi": "3.1.0", "paths": {}}));
    let on = |day| Policy {
        today: Day::parse(day),
        ..Policy::default()
    };
    assert!(!diff(&with(None), &gone).breaking);
    assert!(diff_under(&with(Some("2026-06-01")), &gone, &on("2026-05-31")).breaking);
    assert!(!diff_under(&with(Some("2026-06-01")), &gone, &on("2026-06-01")).breaking);
    // Without a day nobody knows.
    assert_eq!(
        diff(&with(Some("2026-06-01")), &gone).verdict(),
        crate::DiffVerdict::Inconclusive
    );
}

#[test]
fn a_renamed_path_parameter_is_the_same_path() {
    let renamed = api(&json!({}), &json!({}))
        .to_string()
        .replace("{id}", "{key}")
        .replace("\"id\"", "\"key\"");
    let renamed: Value = serde_json::from_str(&renamed).unwrap();
    assert_eq!(rules_of(&api(&json!({}), &json!({})), &renamed), []);
}

#[test]
fn circles_of_references_end() {
    let tree = |leaf: &str| {
        let mut api = api(
            &json!({"$ref": "#/components/schemas/Tree"}),
            &json!({"$ref": "#/components/schemas/Loop"}),
        );
        api["components"] = json!({"schemas": {
            "Tree": {"properties": {"leaf": {"type": leaf}, "left": {"$ref": "#/components/schemas/Tree"}}},
            "Loop": {"allOf": [{"$ref": "#/components/schemas/Loop"}, {"$ref": "#/components/schemas/Tree"}]},
            "Self": {"$ref": "#/components/schemas/Self"}}});
        api
    };
    assert_eq!(rules_of(&tree("string"), &tree("string")), []);
    finds(
        &tree("string"),
        &tree("integer"),
        "request-property-type-changed",
        ERROR,
    );
    finds(
        &tree("string"),
        &tree("integer"),
        "response-property-type-changed",
        ERROR,
    );
}

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
