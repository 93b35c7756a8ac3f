use super::*;
use proptest::prelude::*;
use serde_json::{Value, json};

fn document(value: &Value) -> Document {
    Document::parse("api.json", &value.to_string()).unwrap()
}

/// An API of one operation with a request body and a response of these schemas.
fn api(request: &Value, response: &Value) -> Value {
    json!({"openapi": "3.1.0", "paths": {"/items/{id}": {"post": {
        "parameters": [{"in": "path", "name": "id", "required": true, "schema": {"type": "string"}}],
        "requestBody": {"content": {"application/json": {"schema": request}}},
        "responses": {"200": {"description": "ok", "content": {"application/json": {"schema": response}}}}}}}})
}

fn rules_of(base: &Value, revision: &Value) -> Vec<(String, Level)> {
    let found = diff(&document(base), &document(revision));
    assert_eq!(
        found.breaking,
        found.changes.iter().any(|change| change.level == Level::Error)
    );
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

/// `(before, after, rule in a request, level, rule in a response, level)`.
#[test]
fn a_schema_change_is_judged_by_its_direction() {
    use Level::{Error, Info, Warning};
    let object = |inner: Value| json!({"type": "object", "properties": {"a": inner}});
    let text = json!({"type": "string"});
    for (before, after, what, request, response) in [
        (text.clone(), json!({"type": "integer"}), "type-changed", Error, Error),
        (
            json!({"type": "integer"}),
            json!({"type": "number"}),
            "type-generalized",
            Info,
            Error,
        ),
        (
            json!({"type": "number"}),
            json!({"type": "integer"}),
            "type-specialized",
            Error,
            Info,
        ),
        (
            text.clone(),
            json!({"type": ["string", "null"]}),
            "became-nullable",
            Info,
            Error,
        ),
        (
            json!({"type": "string", "nullable": true}),
            text.clone(),
            "became-not-nullable",
            Error,
            Info,
        ),
        (
            json!({"enum": ["a", "b"]}),
            json!({"enum": ["a"]}),
            "enum-value-removed",
            Error,
            Info,
        ),
        (
            json!({"enum": ["a"]}),
            json!({"enum": ["a", "b"]}),
            "enum-value-added",
            Info,
            Warning,
        ),
        (
            text.clone(),
            json!({"type": "string", "enum": ["a"]}),
            "became-enum",
            Error,
            Info,
        ),
        (
            json!({"maxLength": 5}),
            json!({"maxLength": 4}),
            "max-length-decreased",
            Error,
            Info,
        ),
        (
            json!({"minLength": 5}),
            json!({"minLength": 4}),
            "min-length-decreased",
            Info,
            Error,
        ),
        (
            text.clone(),
            json!({"type": "string", "pattern": "^a"}),
            "pattern-added",
            Error,
            Info,
        ),
        (
            json!({"oneOf": [{"$ref": "#/x"}]}),
            json!({"oneOf": [{"$ref": "#/x"}, {"$ref": "#/y"}]}),
            "one-of-added",
            Info,
            Error,
        ),
    ] {
        let (mut base, mut revision) = (
            api(&object(before.clone()), &object(before)),
            api(&object(after.clone()), &object(after)),
        );
        for document in [&mut base, &mut revision] {
            document["x"] = json!({"type": "string"});
            document["y"] = json!({"type": "integer"});
        }
        finds(&base, &revision, &format!("request-property-{what}"), request);
        finds(&base, &revision, &format!("response-property-{what}"), response);
    }
}

#[test]
fn properties_that_come_go_and_become_required() {
    use Level::{Error, Info, Warning};
    let with = |required: &[&str], names: &[&str]| {
        let properties: serde_json::Map<String, Value> = names
            .iter()
            .map(|name| ((*name).to_owned(), json!({"type": "string"})))
            .collect();
        let schema = json!({"type": "object", "required": required, "properties": properties});
        api(&schema, &schema)
    };
    let (none, optional, required) = (with(&[], &[]), with(&[], &["a"]), with(&["a"], &["a"]));
    finds(&none, &required, "new-required-request-property", Error);
    finds(&none, &optional, "new-optional-request-property", Info);
    finds(&optional, &none, "request-property-removed", Warning);
    finds(&optional, &required, "request-property-became-required", Error);
    finds(&required, &none, "response-required-property-removed", Error);
    finds(&optional, &none, "response-optional-property-removed", Warning);
    finds(&required, &optional, "response-property-became-optional", Error);
    finds(&none, &required, "response-required-property-added", Info);
}

#[test]
fn a_property_that_is_not_sent_in_a_direction_does_not_break_it() {
    let schema = |required: &[&str]| json!({"type": "object", "required": required, "properties": {"id": {"type": "string", "readOnly": true}}});
    let (base, revision) = (api(&schema(&[]), &json!({})), api(&schema(&["id"]), &json!({})));
    finds(&base, &revision, "request-property-became-required", Level::Info);
}

#[test]
fn operations_parameters_statuses_media_types_and_headers() {
    use Level::{Error, Info, Warning};
    let base = json!({"openapi": "3.0.3", "paths": {"/a/{x}": {
        "parameters": [{"in": "path", "name": "x", "required": true}, {"in": "query", "name": "q"}],
        "get": {"responses": {"200": {"content": {"application/json": {}, "text/csv": {}}, "headers": {
            "X-Total": {"required": true, "schema": {"type": "integer"}}}}, "404": {}}},
        "delete": {"responses": {"204": {}}}}, "/b": {"get": {}}}});
    let edit = |change: &dyn Fn(&mut Value)| {
        let mut edited = base.clone();
        change(&mut edited["paths"]);
        edited
    };
    let item = "/a/{x}";
    for (revision, rule, level) in [
        (
            edit(&|p| drop(p.as_object_mut().unwrap().remove("/b"))),
            "api-path-removed-without-deprecation",
            Error,
        ),
        (
            edit(&|p| drop(p[item].as_object_mut().unwrap().remove("delete"))),
            "api-removed-without-deprecation",
            Error,
        ),
        (edit(&|p| p[item]["put"] = json!({})), "endpoint-added", Info),
        (
            edit(&|p| p[item]["parameters"][1]["required"] = json!(true)),
            "request-parameter-became-required",
            Error,
        ),
        (
            edit(&|p| drop(p[item]["parameters"].as_array_mut().unwrap().pop())),
            "request-parameter-removed",
            Warning,
        ),
        (
            edit(&|p| p[item]["get"]["parameters"] = json!([{"in": "header", "name": "H", "required": true}])),
            "new-required-request-parameter",
            Error,
        ),
        (
            edit(&|p| p[item]["get"]["requestBody"] = json!({"required": true, "content": {}})),
            "request-body-added-required",
            Error,
        ),
        (
            edit(&|p| drop(p[item]["delete"]["responses"].as_object_mut().unwrap().remove("204"))),
            "response-success-status-removed",
            Error,
        ),
        (
            edit(&|p| drop(p[item]["get"]["responses"].as_object_mut().unwrap().remove("404"))),
            "response-non-success-status-removed",
            Info,
        ),
        (
            edit(&|p| {
                drop(
                    p[item]["get"]["responses"]["200"]["content"]
                        .as_object_mut()
                        .unwrap()
                        .remove("text/csv"),
                )
            }),
            "response-media-type-removed",
            Error,
        ),
        (
            edit(&|p| p[item]["get"]["responses"]["200"]["headers"] = json!({})),
            "required-response-header-removed",
            Error,
        ),
        (
            edit(&|p| p[item]["get"]["responses"]["200"]["headers"]["X-Total"]["required"] = json!(false)),
            "response-header-became-optional",
            Error,
        ),
        (
            edit(&|p| p[item]["get"]["responses"]["200"]["headers"]["X-Total"]["schema"] = json!({"type": "string"})),
            "response-header-type-changed",
            Error,
        ),
    ] {
        finds(&base, &revision, rule, level);
    }
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
        Level::Error,
    );
    finds(
        &tree("string"),
        &tree("integer"),
        "response-property-type-changed",
        Level::Error,
    );
}

#[test]
fn what_is_no_description_is_an_error_with_help() {
    for (text, word) in [
        ("", "openapi"),
        ("[]", "openapi"),
        ("swagger: '2.0'\n", "Swagger"),
        ("openapi: 4.0.0\n", "4.0.0"),
        ("openapi: 3.0.0\npaths: []\n", "`paths`"),
        ("openapi: 3.0.0\npaths:\n  /a:\n    $ref: '#/nope'\n", "leads nowhere"),
        (
            "openapi: 3.0.0\npaths:\n  /a:\n    $ref: 'other.yaml#/a'\n",
            "leads out",
        ),
        ("openapi: 3.0.0\npaths: {\n", "api.yaml"),
    ] {
        let error = Document::parse("api.yaml", text).unwrap_err();
        assert!(error.one_line().contains(word), "{text}: {}", error.one_line());
        assert!(error.help_line().is_some());
    }
    let error = Document::parse("api.yaml", "openapi: 3.0.0\npaths:\n  /a:\n    $ref: '#/nope'\n").unwrap_err();
    assert!(error.one_line().starts_with("api.yaml:4:12:"), "{}", error.one_line());
}

#[test]
fn every_rule_is_explained_once_and_its_opposite_exists() {
    let all = rules::rules();
    let ids: BTreeSet<&str> = all.iter().map(|rule| rule.id.as_str()).collect();
    assert_eq!(ids.len(), all.len());
    for rule in &all {
        assert!(!rule.explanation.is_empty());
        if let Some(opposite) = &rule.opposite {
            assert!(ids.contains(opposite.as_str()), "{} -> {opposite}", rule.id);
        }
    }
}

fn schemas() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!({})),
        Just(json!({"type": "string", "maxLength": 5})),
        Just(json!({"type": "string", "maxLength": 9, "pattern": "^a"})),
        Just(json!({"type": "integer", "minimum": 1, "format": "int32"})),
        Just(json!({"type": "number", "minimum": 2})),
        Just(json!({"type": ["string", "null"], "enum": ["a", "b"]})),
        Just(json!({"type": "string", "enum": ["a"], "default": "a"})),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            (
                proptest::collection::btree_map("[a-c]", inner.clone(), 0..3),
                proptest::collection::vec("[a-c]", 0..2)
            )
                .prop_map(
                    |(properties, required)| json!({"type": "object", "properties": properties, "required": required})
                ),
            inner.clone().prop_map(|inner| json!({"type": "array", "items": inner})),
            proptest::collection::vec(inner, 1..3).prop_map(|list| json!({"oneOf": list})),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn a_description_does_not_differ_from_itself(request in schemas(), response in schemas()) {
        let api = document(&api(&request, &response));
        prop_assert_eq!(diff(&api, &api).changes, vec![]);
    }

    #[test]
    fn a_change_made_backwards_is_found_by_the_opposite_rule(a in schemas(), b in schemas()) {
        let (base, revision) = (document(&api(&a, &b)), document(&api(&b, &a)));
        let (forth, back) = (diff(&base, &revision), diff(&revision, &base));
        for change in forth.changes {
            let Some(rule) = rules::rule(&change.rule) else { panic!("unlisted rule {}", change.rule) };
            if let Some(opposite) = &rule.opposite {
                let found = back.changes.iter().any(|other| other.rule == *opposite && other.location == change.location);
                prop_assert!(found, "{} at {} has no {}", change.rule, change.location, opposite);
            }
        }
    }
}
