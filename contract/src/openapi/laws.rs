//! Laws of the comparison, for schemas that chance makes.

use super::tests::{api, document};
use super::*;
use proptest::prelude::*;
use serde_json::{Value, json};

fn leaves() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!({})),
        Just(json!({"type": "string", "maxLength": 5, "title": "T"})),
        Just(json!({"type": "string", "maxLength": 9, "pattern": "^a", "default": "a"})),
        Just(json!({"type": "integer", "minimum": 1, "format": "int32", "multipleOf": 2})),
        Just(json!({"type": "number", "minimum": 2, "exclusiveMaximum": 9})),
        Just(json!({"type": ["string", "null"], "enum": ["a", "b"]})),
        Just(json!({"type": "string", "enum": ["b"], "deprecated": true})),
        Just(json!({"const": 1})),
        Just(json!({"$ref": "#/components/schemas/X"})),
        Just(json!({"$ref": "#/components/schemas/Y"})),
        Just(json!({"$ref": "#/components/schemas/Z"})),
    ]
}

fn schemas() -> impl Strategy<Value = Value> {
    leaves().prop_recursive(3, 16, 3, |inner| {
        let some = || proptest::collection::vec(inner.clone(), 1..4);
        let named = || proptest::collection::btree_map("[a-c]", inner.clone(), 0..3);
        prop_oneof![
            (named(), proptest::collection::vec("[a-d]", 0..3), any::<bool>()).prop_map(|(properties, mut required, closed)| {
                required.sort();
                required.dedup();
                json!({"type": "object", "properties": properties, "required": required, "additionalProperties": !closed})
            }),
            inner.clone().prop_map(|inner| json!({"type": "array", "items": inner, "minItems": 1})),
            some().prop_map(|list| json!({"type": "array", "prefixItems": list})),
            some().prop_map(|list| json!({"oneOf": list})),
            some().prop_map(|list| json!({"anyOf": list})),
            some().prop_map(|list| json!({"allOf": list})),
            inner.clone().prop_map(|inner| json!({"not": inner})),
            inner.clone().prop_map(|inner| json!({"if": inner, "contains": inner, "unevaluatedItems": false})),
            named().prop_map(|map| json!({"patternProperties": map, "dependentRequired": {"a": ["b"]}})),
        ]
    })
}

/// The value as text with keys in reverse order, and lists whose order says nothing reversed.
fn reversed(value: &Value, out: &mut String) {
    match value {
        Value::Object(map) => {
            out.push('{');
            for (at, (key, inner)) in map.iter().rev().enumerate() {
                if at > 0 {
                    out.push_str(" ,\n ");
                }
                out.push_str(&Value::from(key.as_str()).to_string());
                out.push_str(" : ");
                match inner {
                    Value::Array(list) if ["required", "enum", "oneOf", "anyOf", "allOf"].contains(&key.as_str()) => {
                        reversed(&list.iter().rev().cloned().collect(), out);
                    }
                    _ => reversed(inner, out),
                }
            }
            out.push('}');
        }
        Value::Array(list) => {
            out.push('[');
            for (at, inner) in list.iter().enumerate() {
                if at > 0 {
                    out.push_str(", ");
                }
                reversed(inner, out);
            }
            out.push(']');
        }
        other => out.push_str(&other.to_string()),
    }
}

/// The value with its references written out.
fn inlined(value: &Value, root: &Value) -> Value {
    if let Some(reference) = value.get("$ref").and_then(Value::as_str) {
        return inlined(root.pointer(reference.trim_start_matches('#')).unwrap(), root);
    }
    match value {
        Value::Object(map) => map
            .iter()
            .map(|(key, inner)| (key.clone(), inlined(inner, root)))
            .collect(),
        Value::Array(list) => list.iter().map(|inner| inlined(inner, root)).collect(),
        other => other.clone(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn an_equal_of_a_description_does_not_differ_from_it(request in schemas(), response in schemas()) {
        let value = api(&request, &response);
        let base = document(&value);
        prop_assert_eq!(diff(&base, &base).changes, vec![]);
        let mut text = String::new();
        reversed(&value, &mut text);
        let other = Document::parse("api.json", &text).unwrap();
        prop_assert_eq!(diff(&base, &other).changes, vec![], "reordered {}", text);
        let other = Document::parse("api.yaml", &format!("# as YAML\n{value}")).unwrap();
        prop_assert_eq!(diff(&base, &other).changes, vec![]);
        let other = document(&inlined(&value, &value));
        prop_assert_eq!(diff(&base, &other).changes, vec![]);
        prop_assert_eq!(diff(&other, &base).changes, vec![]);
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
