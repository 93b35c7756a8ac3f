//! JSON bodies.

use serde_json::{Map, Value};

use super::rules::{Category, Step, show};
use super::{Direction, Report, matcher};

pub(super) fn compare(expected: &Value, actual: &Value, report: &mut Report) {
    compare_at(expected, actual, &mut Vec::new(), report);
}

// The recursion is bounded by the depth of the parsed documents (128).
fn compare_at(expected: &Value, actual: &Value, place: &mut Vec<Step>, report: &mut Report) {
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
    for (key, wanted) in expected {
        place.push(Step::Name(key.clone()));
        match actual.get(key) {
            Some(got) => compare_at(wanted, got, place, report),
            None => report.add(show("$.body", place), "expected this key, it is missing"),
        }
        place.pop();
    }
    if report.direction == Direction::Response && !expected.is_empty() {
        return;
    }
    for key in actual.keys().filter(|key| !expected.contains_key(*key)) {
        place.push(Step::Name(key.clone()));
        report.add(show("$.body", place), "unexpected key");
        place.pop();
    }
}

fn lists(expected: &[Value], actual: &[Value], place: &mut Vec<Step>, report: &mut Report) {
    let rule = report.rules.best(Category::Body, place);
    if let Some(rule) = &rule {
        let (wanted, got) = (Value::from(expected), Value::from(actual));
        if let Err(text) = matcher::check(Some(rule), &wanted, &got) {
            report.add(show("$.body", place), text);
        }
    } else if expected.len() != actual.len() {
        report.add(
            show("$.body", place),
            format!("expected a list of {}, got one of {}", expected.len(), actual.len()),
        );
    }
    for (at, got) in actual.iter().enumerate() {
        // Under a rule the first element is the example for all further ones.
        let Some(wanted) = expected.get(at).or(expected.first().filter(|_| rule.is_some())) else {
            break;
        };
        place.push(Step::Index(at));
        compare_at(wanted, got, place, report);
        place.pop();
    }
}
