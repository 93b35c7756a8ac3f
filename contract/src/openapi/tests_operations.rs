use super::tests::{ERROR, INFO, WARNING, api, document, finds, rules_of};
use super::*;
use serde_json::{Value, json};

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
