//! JSON bodies.

use serde_json::{Map, Value};

use super::matcher::Matcher;
use super::rules::{Category, Rule, Step, show};
use super::{Direction, MAX_MISMATCHES, Report, matcher};

/// Most elements of a list that each variant is looked for among.
const MAX_SEARCHED: usize = 1_000;

pub(super) fn compare(expected: &Value, actual: &Value, report: &mut Report) {
    compare_at(expected, actual, &mut Vec::new(), report);
}

// The recursion is bounded by the depth of the parsed documents (128).
fn compare_at(expected: &Value, actual: &Value, place: &mut Vec<Step>, report: &mut Report) {
    if report.found.len() >= MAX_MISMATCHES {
        return;
    }
    match (expected, actual) {
        (Value::Object(wanted), Value::Object(got)) => objects(wanted, got, place, report),
        (Value::Array(wanted), Value::Array(got)) => lists(wanted, got, place, report),
        _ => {
            let rule = report.rules.best(Category::Body, place);
            if let Err(text) = matcher::check(rule.as_ref(), expected, actual) {
                report.add(show("$.body", place), text);
            }
        }
    }
}

fn objects(expected: &Map<String, Value>, actual: &Map<String, Value>, place: &mut Vec<Step>, report: &mut Report) {
    let own = own_rule(place, report);
    if let Some(rule) = &own {
        let (wanted, got) = (Value::from(expected.clone()), Value::from(actual.clone()));
        if let Err(text) = matcher::check(Some(rule), &wanted, &got) {
            report.add(show("$.body", place), text);
        }
    }
    let frees = |matcher: &Matcher| matches!(matcher, Matcher::Values | Matcher::EachValue(_) | Matcher::EachKey(_));
    if own.as_ref().is_some_and(|rule| rule.matchers.iter().any(frees)) {
        // Keys don't matter: what isn't in the example is like its first value.
        for (key, got) in actual {
            place.push(Step::Name(key.clone()));
            match expected.get(key).or_else(|| expected.values().next()) {
                Some(wanted) => each(own.as_ref(), wanted, got, place, report),
                None => each(own.as_ref(), got, got, place, report),
            }
            place.pop();
        }
        return;
    }
    for (key, wanted) in expected {
        place.push(Step::Name(key.clone()));
        match actual.get(key) {
            Some(got) => compare_at(wanted, got, place, report),
            None => report.add(show("$.body", place), "expected this key, it is missing"),
        }
        place.pop();
    }
    if report.direction == Direction::Response {
        return;
    }
    for key in actual.keys().filter(|key| !expected.contains_key(*key)) {
        place.push(Step::Name(key.clone()));
        report.add(show("$.body", place), "unexpected key");
        place.pop();
    }
}

/// The rule that stands at a place itself.
fn own_rule(place: &[Step], report: &Report) -> Option<Rule> {
    report.rules.best(Category::Body, place).filter(|rule| !rule.inherited)
}

/// One value of an object or a list whose rule may be about each of them.
fn each(own: Option<&Rule>, expected: &Value, actual: &Value, place: &mut Vec<Step>, report: &mut Report) {
    let matchers = own.iter().flat_map(|rule| &rule.matchers);
    let of_each: Vec<&Matcher> = matchers.filter_map(Matcher::of_each_value).flatten().collect();
    if of_each.is_empty() {
        return compare_at(expected, actual, place, report);
    }
    for matcher in of_each {
        if let Err(text) = matcher::check_one(matcher, expected, actual) {
            report.add(show("$.body", place), text);
        }
    }
    // What is in it is compared by type, as below a rule of its own.
    if matches!(
        (expected, actual),
        (Value::Object(_), Value::Object(_)) | (Value::Array(_), Value::Array(_))
    ) {
        compare_at(expected, actual, place, report);
    }
}

fn lists(expected: &[Value], actual: &[Value], place: &mut Vec<Step>, report: &mut Report) {
    let rule = report.rules.best(Category::Body, place);
    if let Some(rule) = &rule {
        let (wanted, got) = (Value::from(expected), Value::from(actual));
        if let Err(text) = matcher::check(Some(rule), &wanted, &got) {
            report.add(show("$.body", place), text);
        }
        let variants = rule.matchers.iter().find_map(|matcher| match matcher {
            Matcher::Contains(variants) if !rule.inherited => Some(variants),
            _ => None,
        });
        if let Some(variants) = variants {
            return contains(variants, expected, actual, place, report);
        }
    } else if expected.len() != actual.len() {
        report.add(
            show("$.body", place),
            format!("expected a list of {}, got one of {}", expected.len(), actual.len()),
        );
    }
    let own = rule.as_ref().filter(|rule| !rule.inherited);
    for (at, got) in actual.iter().enumerate() {
        // Under a rule the first element is the example for all further ones.
        let Some(wanted) = expected.get(at).or(expected.first().filter(|_| rule.is_some())) else {
            break;
        };
        place.push(Step::Index(at));
        each(own, wanted, got, place, report);
        place.pop();
    }
}

/// Looks for one element of a list for each variant, which is an element of the example with rules of its own.
fn contains(
    variants: &[(usize, super::Rules)],
    expected: &[Value],
    actual: &[Value],
    place: &[Step],
    report: &mut Report,
) {
    for (at, rules) in variants {
        let fits = |wanted: &Value, got: &Value| {
            let mut trial = Report {
                direction: report.direction,
                rules: rules.clone(),
                found: Vec::new(),
            };
            compare(wanted, got, &mut trial);
            trial.found.is_empty()
        };
        let Some(wanted) = expected.get(*at) else {
            report.add(
                show("$.body", place),
                format!("the example has no element {at} for a variant"),
            );
            continue;
        };
        if !actual.iter().take(MAX_SEARCHED).any(|got| fits(wanted, got)) {
            let text = format!("expected an element like `{}`, found none", matcher::brief(wanted));
            report.add(show("$.body", place), text);
        }
    }
}
