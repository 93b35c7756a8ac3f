use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::{diff, rules};
use crate::{ContractDiff, DiffVerdict, Level};

fn side(text: &str) -> BTreeMap<String, String> {
    BTreeMap::from([("schema.graphql".to_owned(), text.to_owned())])
}

fn found(base: &str, revision: &str) -> ContractDiff {
    diff(&side(base), &side(revision)).unwrap_or_else(|error| panic!("{}", error.one_line()))
}

/// Rule, base, revision, and the words.
const FIXTURES: &[(&str, &str, &str, &str)] = &[
    ("TYPE_REMOVED", "type A type B", "type B", "A was removed."),
    (
        "TYPE_CHANGED_KIND",
        "scalar A",
        "enum A",
        "A changed from a Scalar type to an Enum type.",
    ),
    (
        "TYPE_REMOVED_FROM_UNION",
        "type A type B union U = A | B",
        "type A type B union U = A",
        "B was removed from union type U.",
    ),
    (
        "VALUE_REMOVED_FROM_ENUM",
        "enum E { A B }",
        "enum E { A }",
        "B was removed from enum type E.",
    ),
    (
        "REQUIRED_INPUT_FIELD_ADDED",
        "input I { a: Int }",
        "input I { a: Int b: Int! }",
        "A required field b on input type I was added.",
    ),
    (
        "IMPLEMENTED_INTERFACE_REMOVED",
        "interface I type A implements I",
        "interface I type A",
        "A no longer implements interface I.",
    ),
    (
        "FIELD_REMOVED",
        "type A { a: Int b: Int }",
        "type A { a: Int }",
        "A.b was removed.",
    ),
    (
        "FIELD_CHANGED_KIND",
        "type A { a: [Int!]! b: String }",
        "type A { a: [Int]! b: String }",
        "A.a changed type from [Int!]! to [Int]!.",
    ),
    (
        "REQUIRED_ARG_ADDED",
        "type A { a: Int }",
        "type A { a(b: Int!): Int }",
        "A required arg b on A.a was added.",
    ),
    (
        "ARG_REMOVED",
        "type A { a(b: Int): Int }",
        "type A { a: Int }",
        "A.a arg b was removed.",
    ),
    (
        "ARG_CHANGED_KIND",
        "type A { a(b: Int): Int }",
        "type A { a(b: Int!): Int }",
        "A.a arg b has changed type from Int to Int!.",
    ),
    ("DIRECTIVE_REMOVED", "directive @d on FIELD", "", "d was removed."),
    (
        "DIRECTIVE_ARG_REMOVED",
        "directive @d(a: Int) on FIELD",
        "directive @d on FIELD scalar Int",
        "a was removed from d.",
    ),
    (
        "REQUIRED_DIRECTIVE_ARG_ADDED",
        "directive @d on FIELD",
        "directive @d(a: Int!) on FIELD",
        "A required arg a on directive d was added.",
    ),
    (
        "DIRECTIVE_REPEATABLE_REMOVED",
        "directive @d repeatable on FIELD",
        "directive @d on FIELD",
        "Repeatable flag was removed from d.",
    ),
    (
        "DIRECTIVE_LOCATION_REMOVED",
        "directive @d on FIELD | QUERY",
        "directive @d on FIELD",
        "QUERY was removed from d.",
    ),
    (
        "VALUE_ADDED_TO_ENUM",
        "enum E { A }",
        "enum E { A } extend enum E { B }",
        "B was added to enum type E.",
    ),
    (
        "TYPE_ADDED_TO_UNION",
        "type A type B union U = A",
        "type A type B union U = A extend union U = B",
        "B was added to union type U.",
    ),
    (
        "OPTIONAL_INPUT_FIELD_ADDED",
        "input I { a: Int }",
        "input I { a: Int b: Int! = 1 }",
        "An optional field b on input type I was added.",
    ),
    (
        "OPTIONAL_ARG_ADDED",
        "type A { a: Int }",
        "type A { a(b: Int): Int }",
        "An optional arg b on A.a was added.",
    ),
    (
        "IMPLEMENTED_INTERFACE_ADDED",
        "interface I interface J",
        "interface I interface J implements I",
        "I added to interfaces implemented by J.",
    ),
    (
        "ARG_DEFAULT_VALUE_CHANGE",
        "input I { x: Float = 1.0 y: [ID] } type A { a(b: I = {y: 7}): Int }",
        "input I { x: Float = 1.0 y: [ID] } type A { a(b: I = {y: \"8\"}): Int }",
        "A.a arg b has changed defaultValue from {x: 1, y: [7]} to {x: 1, y: [8]}.",
    ),
    ("TYPE_ADDED", "type A", "type A type B", "B was added."),
    (
        "FIELD_ADDED",
        "type A { a: Int }",
        "type A { a: Int } extend type A { b: Int }",
        "A.b was added.",
    ),
    (
        "FIELD_CHANGED_KIND_SAFE",
        "type A { a: Int }",
        "type A { a: Int! }",
        "A.a changed type from Int to Int!.",
    ),
    (
        "ARG_CHANGED_KIND_SAFE",
        "type A { a(b: [Int!]!): Int }",
        "type A { a(b: [Int]): Int }",
        "A.a arg b has changed type from [Int!]! to [Int].",
    ),
    (
        "ARG_DEFAULT_VALUE_ADDED",
        "type A { a(b: Int): Int }",
        "type A { a(b: Int = 1): Int }",
        "A.a arg b has defaultValue 1.",
    ),
    ("DIRECTIVE_ADDED", "", "directive @d on FIELD", "d was added."),
    (
        "OPTIONAL_DIRECTIVE_ARG_ADDED",
        "directive @d on FIELD scalar Int",
        "directive @d(a: Int) on FIELD",
        "An optional arg a on directive d was added.",
    ),
    (
        "DIRECTIVE_REPEATABLE_ADDED",
        "directive @d on FIELD",
        "directive @d repeatable on FIELD",
        "Repeatable flag was added to d.",
    ),
    (
        "DIRECTIVE_LOCATION_ADDED",
        "directive @d on FIELD",
        "directive @d on FIELD | QUERY",
        "QUERY was added to d.",
    ),
    (
        "ROOT_TYPE_REMOVED",
        "schema { query: Q mutation: M } type Q type M",
        "schema { query: Q } type Q type M",
        "M is no longer the mutation type.",
    ),
    (
        "ROOT_TYPE_CHANGED",
        "schema { query: Q } type Q type R",
        "schema { query: R } type Q type R",
        "The query type changed from Q to R.",
    ),
    (
        "ROOT_TYPE_ADDED",
        "schema { query: Q } type Q type M",
        "schema { query: Q } extend schema { mutation: M } type Q type M",
        "M is the mutation type.",
    ),
    (
        "INPUT_FIELD_DEFAULT_VALUE_CHANGE",
        "input I { a: E = A } enum E { A B }",
        "input I { a: E = B } enum E { A B }",
        "I.a has changed defaultValue from A to B.",
    ),
    (
        "ARG_BECAME_REQUIRED",
        "type A { a(b: Int! = 1): Int }",
        "type A { a(b: Int!): Int }",
        "A.a(b:) must be given.",
    ),
    (
        "INPUT_FIELD_BECAME_REQUIRED",
        "input I { a: Int! = 1 }",
        "input I { a: Int! }",
        "I.a must be given.",
    ),
    (
        "ONE_OF_ADDED",
        "input I { a: Int }",
        "input I @oneOf { a: Int }",
        "Input type I takes exactly one of its fields.",
    ),
    (
        "ONE_OF_REMOVED",
        "input I @oneOf { a: Int }",
        "input I { a: Int } extend input I { b: Int }",
        "Input type I takes several of its fields.",
    ),
    (
        "DEPRECATION_ADDED",
        "enum E { A }",
        "enum E { A @deprecated }",
        "E.A is deprecated.",
    ),
    (
        "DEPRECATION_REMOVED",
        "type A { a: Int @deprecated }",
        "type A { a: Int }",
        "A.a is no longer deprecated.",
    ),
];

#[test]
fn every_rule_fires_on_its_fixture_in_its_words() {
    let covered: BTreeSet<&str> = FIXTURES.iter().map(|(rule, ..)| *rule).collect();
    let rules = rules();
    assert_eq!(covered, rules.iter().map(|rule| rule.id.as_str()).collect());
    for (id, base, revision, text) in FIXTURES {
        let diff = found(base, revision);
        let change = diff.changes.iter().find(|change| change.rule == *id);
        let change = change.unwrap_or_else(|| panic!("{id}: {:#?}", diff.changes));
        assert_eq!(change.text, *text);
        let rule = rules.iter().find(|rule| rule.id == *id).unwrap();
        assert_eq!(change.level, rule.level);
        assert_eq!(
            diff.breaking,
            diff.changes.iter().any(|change| change.level == Level::Error)
        );
        for side in [base, revision] {
            assert_eq!(found(side, side).changes, vec![], "{id}");
        }
    }
}

#[test]
fn swapped_sides_fire_the_opposite() {
    let rules = rules();
    for (id, base, revision, _) in FIXTURES {
        let rule = rules.iter().find(|rule| rule.id == *id).unwrap();
        if let Some(opposite) = &rule.opposite {
            let backwards = found(revision, base);
            let fires = backwards.changes.iter().any(|change| change.rule == *opposite);
            assert!(fires, "{id} -> {opposite}: {:#?}", backwards.changes);
        }
    }
}

#[test]
fn files_of_a_side_are_one_schema_and_operations_are_none_of_it() {
    let base = side("type A { a: B } type B { b: Int }");
    let revision = BTreeMap::from([
        ("a.graphqls".to_owned(), "extend type A { a: B }".to_owned()),
        (
            "b.gql".to_owned(),
            "type B { b: Int } query Q { a { b } } fragment F on B { b }".to_owned(),
        ),
        ("c.graphql".to_owned(), "# nothing\n".to_owned()),
        ("d.graphql".to_owned(), "type A".to_owned()),
        ("e.txt".to_owned(), "{{{".to_owned()),
    ]);
    let diff = diff(&base, &revision).unwrap();
    assert_eq!((diff.changes, diff.gaps), (vec![], vec![]));
}

#[test]
fn what_is_used_and_declared_nowhere_is_a_gap() {
    let diff = found("type A { b: B }", "type A { b: B }");
    assert_eq!(diff.verdict(), DiffVerdict::Inconclusive);
    assert_eq!(diff.gaps[0].place, "B");
    let diff = found("type A type A", "type A");
    assert_eq!(diff.verdict(), DiffVerdict::Inconclusive);
}

#[test]
fn what_is_no_schema_is_an_error_with_a_place() {
    for wrong in [
        "type {",
        "type A { a }",
        "typo A",
        "type A { a(b: Int = [): Int }",
        &"[".repeat(9_000),
    ] {
        let error = diff(&side(wrong), &side("type A")).unwrap_err();
        assert!(error.one_line().starts_with("schema.graphql:"), "{}", error.one_line());
        assert!(error.help_line().is_some());
    }
    let deep = format!(
        "type A {{ a(b: I = {}1{}): Int }}",
        "[".repeat(5_000),
        "]".repeat(5_000)
    );
    assert!(diff(&side(&deep), &side("type A")).is_err());
    assert!(diff(&BTreeMap::new(), &side("type A")).is_err());
}

#[test]
fn a_default_of_its_own_type_has_an_end() {
    let text = "input I { i: I = {} } type A { a(i: I = {}): Int }";
    assert_eq!(found(text, text).changes, vec![]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn order_and_layout_change_nothing(order in Just(vec!["type A { a: Int b: B }", "scalar B", "enum E { X Y }", "union U = A | C", "type C { c(x: Int = 1, y: [E!] = [X]): U }"]).prop_shuffle(), space in "[ ,\n]{1,4}") {
        let base = "scalar B enum E { Y X } union U = C | A type C { c(y: [E!] = X, x: Int = 1): U } type A { b: B a: Int }";
        let diff = found(base, &order.join(&space));
        prop_assert!(diff.changes.is_empty(), "{:?}", diff.changes);
    }

    #[test]
    fn any_text_is_read_or_refused(text in "[a-zAI={}\\[\\]()!@|&:\"0-9 \n]{0,80}") {
        if let Err(error) = diff(&side(&text), &side("type A")) {
            prop_assert!(error.help_line().is_some());
        }
    }
}
