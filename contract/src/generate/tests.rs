use super::*;
use serde_json::json;
use std::collections::BTreeSet;

fn document() -> Value {
    json!({
        "openapi": "3.0.3",
        "servers": [{"url": "https://shop.example/v1/"}],
        "paths": {
            "/orders": {
                "post": {
                    "requestBody": {"required": true, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Order"}}}},
                    "responses": {"201": {"content": {"application/json": {"schema": {"properties": {"id": {"type": "integer"}}}}}}}
                },
                "get": {"parameters": [
                    {"in": "query", "name": "page", "required": true, "schema": {"type": "integer", "minimum": 1, "maximum": 9}},
                    {"in": "query", "name": "sort", "schema": {"enum": ["name", "-name"]}},
                ]}
            },
            "/orders/{id}": {
                "parameters": [{"in": "path", "name": "id", "required": true, "schema": {"type": "integer"}}],
                "get": {}, "put": {}, "delete": {}
            },
            "/endless": {"post": {"requestBody": {"required": true, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Endless"}}}}}}
        },
        "components": {"schemas": {
            "Order": {
                "type": "object", "required": ["ref", "lines"],
                "properties": {
                    "id": {"type": "integer", "readOnly": true},
                    "ref": {"type": "string", "minLength": 3, "maxLength": 5},
                    "due": {"type": "string", "format": "date"},
                    "lines": {"type": "array", "minItems": 1, "maxItems": 2, "items": {"allOf": [
                        {"type": "object", "required": ["count"], "properties": {"count": {"type": "integer", "minimum": 1, "maximum": 3}}},
                        {"properties": {"note": {"type": "string"}}}
                    ]}},
                    "parent": {"$ref": "#/components/schemas/Order"}
                }
            },
            "Endless": {"type": "object", "required": ["more"], "properties": {"more": {"$ref": "#/components/schemas/Endless"}}}
        }}
    })
}

#[test]
fn the_same_seed_gives_the_same_requests_and_another_one_others() {
    let made = |seed| requests(&document(), seed, Amount::default());
    assert_eq!(made(1), made(1));
    assert_ne!(made(1), made(2));
}

#[test]
fn bodies_lie_at_the_bounds_of_their_schemas_and_beyond() {
    let made = requests(&document(), 1, Amount::default());
    let body = |label: &str| -> Value {
        let request = made.requests.iter().find(|request| request.label == label);
        serde_json::from_slice(&request.unwrap_or_else(|| panic!("no `{label}`")).body).unwrap()
    };
    assert_eq!(
        body("POST /orders: least"),
        json!({"ref": "aaa", "lines": [{"count": 1}]})
    );
    let most = body("POST /orders: most");
    assert_eq!(most["ref"], json!("aaaaa"));
    assert_eq!(most["lines"].as_array().unwrap().len(), 2);
    assert_eq!(most["due"], json!("2020-02-29"));
    assert!(most.get("id").is_none(), "read-only");
    assert_eq!(
        body("POST /orders: body `ref`: against `maxLength`")["ref"],
        json!("aaaaaa")
    );
    assert!(body("POST /orders: body without `lines`").get("lines").is_none());
    let labels: BTreeSet<&str> = made.requests.iter().map(|request| request.label.as_str()).collect();
    for label in [
        "GET /orders: without the parameter `page`",
        "GET /orders: parameter `page` against `maximum`",
        "POST /orders: a body that is no JSON",
    ] {
        assert!(labels.contains(label), "{label}: {labels:#?}");
    }
}

#[test]
fn what_is_created_is_looked_at_changed_and_removed() {
    let made = requests(&document(), 1, Amount::default());
    let flow: Vec<(&str, &str)> = made
        .requests
        .iter()
        .filter(|request| request.session.is_some())
        .map(|request| (request.method.as_str(), request.path.as_str()))
        .collect();
    let one = "/v1/orders/{{made.1}}";
    assert_eq!(
        flow,
        [
            ("POST", "/v1/orders"),
            ("GET", one),
            ("PUT", one),
            ("GET", one),
            ("GET", one),
            ("DELETE", one),
            ("GET", one)
        ]
    );
    assert_eq!(
        made.requests[0].takes[0].from,
        crate::wire::TakeFrom::Body("/id".to_owned())
    );
}

#[test]
fn what_cannot_be_made_is_a_gap() {
    let made = requests(&document(), 1, Amount::default());
    assert_eq!(made.gaps.len(), 1, "{:?}", made.gaps);
    assert_eq!(made.gaps[0].place, "POST /endless");
    let few = requests(&document(), 1, Amount { requests: 3, random: 0 });
    assert_eq!(few.requests.len(), 3);
    assert!(
        requests(&json!({"paths": {"/a": {"$ref": "other.yaml"}}}), 1, Amount::default())
            .gaps
            .len()
            == 1
    );
    assert_eq!(requests(&json!(7), 1, Amount::default()), Generated::default());
}
