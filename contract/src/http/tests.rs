use super::*;
use serde_json::json;

fn message(value: Value) -> HttpMessage {
    serde_json::from_value(value).unwrap()
}

fn mismatches(expected: Value, actual: Value) -> Vec<(String, String)> {
    let result = match_message(&message(expected), &message(actual));
    assert_eq!(result.matches, result.mismatches.is_empty());
    result.mismatches.into_iter().map(|m| (m.path, m.text)).collect()
}

fn paths(expected: Value, actual: Value) -> Vec<String> {
    mismatches(expected, actual).into_iter().map(|(path, _)| path).collect()
}

#[test]
fn a_response_may_hold_more_but_not_less() {
    let expected = json!({"status": 200, "headers": {"X-A": "1"}, "body": {"id": 1, "items": [{"n": "x"}]}});
    let more = json!({"status": 200, "headers": {"x-a": "1", "x-b": "2"}, "body": {"id": 1.0, "new": 1, "items": [{"n": "x", "m": 1}]}});
    assert!(paths(expected.clone(), more).is_empty());
    let less = json!({"status": 201, "headers": {}, "body": {"items": [{}]}});
    assert_eq!(
        paths(expected, less),
        ["$.status", "$.header.X-A", "$.body.id", "$.body.items[0].n"]
    );
}

#[test]
fn a_request_may_not_hold_more() {
    let expected = json!({"method": "POST", "path": "/a", "query": "x=1", "body": {"id": 1}});
    let more = json!({"method": "post", "path": "/a", "query": {"x": ["1"], "y": "2"}, "body": {"id": 1, "new": 1}});
    assert_eq!(paths(expected, more), ["$.query.y", "$.body.new"]);
}

#[test]
fn a_changed_content_type_is_named() {
    let expected =
        json!({"status": 200, "headers": {"Content-Type": "application/json; charset=utf-8"}, "body": {"a": 1}});
    let actual = json!({"status": 200, "headers": {"Content-Type": "application/json"}, "body": {"a": 1}});
    assert_eq!(
        mismatches(expected, actual),
        [(
            "$.header.Content-Type".to_owned(),
            "expected `application/json; charset=utf-8`, got `application/json`".to_owned()
        )]
    );
}

#[test]
fn rules_replace_equality() {
    let expected = json!({"status": 200, "body": {"id": 1, "at": "2026", "list": ["a"], "price": 1.5, "gone": null},
        "matchingRules": {
            "$.body.id": {"match": "integer"},
            "$.body.at": {"match": "regex", "regex": "^\\d{4}$"},
            "$.body.list": {"match": "type", "min": 1, "max": 2},
            "$.body.price": {"match": "decimal"},
            "$.body.gone": {"match": "null"}}});
    let fine = json!({"status": 200, "body": {"id": 7, "at": "1999", "list": ["x", "y"], "price": 2.25, "gone": null}});
    assert!(paths(expected.clone(), fine).is_empty());
    let wrong = json!({"status": 200, "body": {"id": 7.5, "at": "99", "list": [1, "y", "z"], "price": 2, "gone": 0}});
    assert_eq!(
        paths(expected, wrong),
        [
            "$.body.at",
            "$.body.gone",
            "$.body.id",
            "$.body.list",
            "$.body.list[0]",
            "$.body.price"
        ]
    );
}

#[test]
fn one_of_several_matchers_is_enough_when_they_are_combined_by_or() {
    let rules =
        |how: &str| json!({"body": {"$.a": {"combine": how, "matchers": [{"match": "null"}, {"match": "integer"}]}}});
    let expected = |how: &str| json!({"status": 200, "body": {"a": 1}, "matchingRules": rules(how)});
    let actual = json!({"status": 200, "body": {"a": 2}});
    assert!(paths(expected("OR"), actual.clone()).is_empty());
    assert_eq!(paths(expected("AND"), actual), ["$.body.a"]);
}

#[test]
fn a_rule_that_is_not_understood_is_not_satisfied() {
    for rule in [
        json!({"match": "telepathy"}),
        json!({"match": "date", "format": "bbb"}),
        json!({"match": "eachValue"}),
        json!({"match": "eachValue", "rules": [{"match": "telepathy"}]}),
        json!({"match": "regex", "regex": "("}),
        json!({"match": "regex", "regex": "(a{1000}){1000}{1000}"}),
        json!(1),
    ] {
        let expected = json!({"status": 200, "body": {"a": 1}, "matchingRules": {"$.body.a": rule}});
        assert_eq!(
            paths(expected, json!({"status": 200, "body": {"a": 1}})),
            ["$.matchingRules"]
        );
    }
}

#[test]
fn a_raw_json_body_is_read_before_it_is_compared() {
    let expected = json!({"status": 200, "headers": {"Content-Type": "application/json"}, "body": {"a": 1}});
    let raw = |body: &str| json!({"status": 200, "headers": {"Content-Type": "application/json"}, "body": body});
    assert!(paths(expected.clone(), raw("{\"a\": 1, \"b\": 2}")).is_empty());
    assert_eq!(paths(expected.clone(), raw("a,1")), ["$.body"]);
    assert_eq!(
        paths(
            expected,
            json!({"status": 200, "headers": {"Content-Type": "application/json"}})
        ),
        ["$.body"]
    );
}

#[test]
fn xml_that_is_not_xml_is_a_mismatch() {
    let xml = |body: &str| json!({"status": 200, "headers": {"Content-Type": "application/xml"}, "body": body});
    assert!(paths(xml("<a x='1' y='2'/>"), xml("<a y='2' x='1'></a>")).is_empty());
    for wrong in [
        "<b/>",
        "<a",
        "",
        "<!DOCTYPE a [<!ENTITY x 'y'>]><a/>",
        &"<a>".repeat(5000),
    ] {
        assert!(!paths(xml("<a x='1'/>"), xml(wrong)).is_empty(), "{wrong}");
    }
}

#[test]
fn a_contract_file_is_read() {
    let text = r#"{"consumer": {"name": "bank-partner"}, "provider": {"name": "payments"}, "interactions": [
        {"description": "a payment", "request": {"method": "GET", "path": "/p/1"}, "response": {"status": 200}}],
        "metadata": {"pactSpecification": {"version": "3.0.0"}}}"#;
    let file = read_interactions("c.json", text).unwrap();
    assert_eq!(
        (file.consumer.as_str(), file.provider.as_str()),
        ("bank-partner", "payments")
    );
    assert_eq!(file.interactions[0].response.status, Some(200));
}

#[test]
fn files_that_are_no_contract_are_errors_with_help() {
    let interaction =
        |text: &str| format!(r#"{{"consumer":{{"name":"a"}},"provider":{{"name":"b"}},"interactions":[{text}]}}"#);
    for text in [
        String::new(),
        "{".to_owned(),
        "[]".to_owned(),
        "{}".to_owned(),
        interaction(""),
        interaction("1"),
        interaction(r#"{"description":"x","request":{"path":"/"},"response":{}}"#),
        interaction(r#"{"description":"x","request":{"path":"/"},"response":{"status":"ok"}}"#),
        interaction(r#"{"type":"Asynchronous/Messages","description":"x"}"#),
    ] {
        let error = read_interactions("c.json", &text).unwrap_err();
        assert!(
            error.one_line().starts_with("c.json") && error.help_line().is_some(),
            "{text}: {}",
            error.one_line()
        );
    }
}

#[test]
fn rules_of_version_4_are_understood() {
    let expected = json!({"status": 200, "body": {
            "day": "2026-01-01", "at": "2026-01-01T00:00:00Z", "version": "1.0.0", "note": "x",
            "byId": {"a": {"n": 1}}, "tags": ["x"], "free": {"k": "v"}, "list": [{"kind": "a"}, {"kind": "b", "n": 1}]},
        "matchingRules": {
            "status": {"matchers": [{"match": "statusCode", "status": "success"}]},
            "body": {
                "$.day": {"matchers": [{"match": "date", "format": "yyyy-MM-dd"}]},
                "$.at": {"matchers": [{"match": "timestamp", "format": "yyyy-MM-dd'T'HH:mm:ssX"}]},
                "$.version": {"matchers": [{"match": "semver"}]},
                "$.note": {"matchers": [{"match": "notEmpty"}]},
                "$.byId": {"matchers": [{"match": "eachKey", "rules": [{"match": "regex", "regex": "^[a-z]+$"}]}]},
                "$.byId.*.n": {"matchers": [{"match": "integer"}]},
                "$.tags": {"matchers": [{"match": "eachValue", "rules": [{"match": "regex", "regex": "^x"}]}]},
                "$.free": {"matchers": [{"match": "values"}]},
                "$.list": {"matchers": [{"match": "arrayContains", "variants": [
                    {"index": 1, "rules": {"$.n": {"matchers": [{"match": "integer"}]}}}]}]}}}});
    let fine = json!({"status": 204, "body": {
        "day": "2026-12-31", "at": "2026-12-31T23:59:59+01", "version": "2.1.0-rc.1", "note": "y",
        "byId": {"q": {"n": 7}, "r": {"n": 8}}, "tags": ["x1", "x2"], "free": {"other": "v"},
        "list": [{"kind": "c"}, {"kind": "b", "n": 9}]}});
    assert!(paths(expected.clone(), fine).is_empty());
    let wrong = json!({"status": 404, "body": {
        "day": "31.12.2026", "at": "now", "version": "2", "note": "",
        "byId": {"Q": {"n": "7"}}, "tags": ["y"], "free": {"other": 1}, "list": [{"kind": "c"}]}});
    assert_eq!(
        paths(expected, wrong),
        [
            "$.status",
            "$.body.at",
            "$.body.byId",
            "$.body.byId.Q.n",
            "$.body.day",
            "$.body.free.other",
            "$.body.list",
            "$.body.note",
            "$.body.tags[0]",
            "$.body.version"
        ]
    );
}

#[test]
fn what_is_text_by_nature_may_be_a_number() {
    let expected = json!({"method": "GET", "path": "/p/1", "query": {"page": ["1", "2"]}, "headers": {"X-Count": "3", "X-Id": ["a", "b"]},
        "matchingRules": {
            "path": {"matchers": [{"match": "regex", "regex": "^/p/\\d+$"}]},
            "query": {"$.page[*]": {"matchers": [{"match": "integer"}]}},
            "header": {"$.X-Count": {"matchers": [{"match": "integer"}]}, "x-id": {"matchers": [{"match": "regex", "regex": "^[a-z]$"}]}}}});
    let with = |page: &str, count: &str, id: Value| json!({"method": "GET", "path": "/p/22", "query": {"page": [page, "7"]}, "headers": {"x-count": count, "x-id": id}});
    assert!(paths(expected.clone(), with("5", "40", json!(["c", "d"]))).is_empty());
    assert_eq!(
        paths(expected, with("five", "x", json!(["c", "D"]))),
        ["$.query.page", "$.header.X-Count", "$.header.X-Id"]
    );
}

#[test]
fn forms_are_compared_by_their_fields() {
    let form = |body: &str| json!({"method": "POST", "path": "/", "headers": {"Content-Type": "application/x-www-form-urlencoded"}, "body": body});
    assert!(paths(form("a=1&b=x+y"), form("b=x%20y&a=1")).is_empty());
    assert_eq!(
        paths(form("a=1&b=2"), form("a=2&c=3")),
        ["$.body.a", "$.body.b", "$.body.c"]
    );
}

#[test]
fn a_number_and_its_text_are_told_apart() {
    let message = |body| HttpMessage {
        body: Some(body),
        ..HttpMessage::default()
    };
    let found = match_message(
        &message(serde_json::json!({"a": 1})),
        &message(serde_json::json!({"a": "1"})),
    );
    assert_eq!(found.mismatches[0].text, "expected a number `1`, got a text `1`");
}
