//! Recorded HTTP interactions: does a message still satisfy what a consumer pinned?
//!
//! The semantics are Pact's (specification v1 to v4): a provider may add, a consumer may not.

mod diff;
pub mod har;
mod headers;
mod json;
mod matcher;
mod message;
mod pact;
mod query;
mod rules;
mod xml;

use serde::Serialize;
use serde_json::Value;

use self::rules::{Category, Rules};
pub use diff::{diff, rules};
pub use message::HttpMessage;
pub use pact::{ContractFile, Interaction, read_interactions};

/// Most mismatches that are listed: the first ones say enough.
const MAX_MISMATCHES: usize = 200;

/// One way in which a message differs from what was expected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Mismatch {
    /// Where: `$.method`, `$.header.Content-Type`, `$.body.items[0].id` …
    pub path: String,
    /// What was expected and what came, one line.
    pub text: String,
}

/// Whether a message satisfies what was expected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MatchResult {
    /// Whether it does.
    #[serde(rename = "match")]
    pub matches: bool,
    /// Where it doesn't, at most 200 places.
    pub mismatches: Vec<Mismatch>,
}

/// Which way the message goes: what it may hold beyond what was expected depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    /// The consumer sends it: nothing may be added.
    Request,
    /// The provider sends it: unknown keys are ignored by a careful reader.
    Response,
}

/// Collects mismatches while the parts are compared.
struct Report {
    direction: Direction,
    rules: Rules,
    found: Vec<Mismatch>,
}

impl Report {
    fn add(&mut self, path: impl Into<String>, text: impl Into<String>) {
        if self.found.len() < MAX_MISMATCHES {
            self.found.push(Mismatch {
                path: path.into(),
                text: text.into(),
            });
        }
    }
}

/// Compares an actual message with the expected one. A message with a status is a response (extra
/// keys in its body are fine), every other one a request (they are not). A matching rule that
/// can't be read or isn't known is a mismatch: what isn't understood isn't satisfied.
#[must_use]
pub fn match_message(expected: &HttpMessage, actual: &HttpMessage) -> MatchResult {
    let direction = match expected.status {
        Some(_) => Direction::Response,
        None => Direction::Request,
    };
    let mut report = Report {
        direction,
        rules: Rules::default(),
        found: Vec::new(),
    };
    match Rules::read(expected.matching_rules.as_ref()) {
        Ok(rules) => report.rules = rules,
        Err(text) => report.add("$.matchingRules", text),
    }
    match_start(expected, actual, &mut report);
    headers::compare(&expected.headers, &actual.headers, &mut report);
    // JSON maps keep one order or another: the same bodies give the same list.
    let before_body = report.found.len();
    match_body(expected, actual, &mut report);
    let mut in_body = report.found.split_off(before_body);
    in_body.sort_by(|a, b| (&a.path, &a.text).cmp(&(&b.path, &b.text)));
    report.found.append(&mut in_body);
    MatchResult {
        matches: report.found.is_empty(),
        mismatches: report.found,
    }
}

fn match_start(expected: &HttpMessage, actual: &HttpMessage, report: &mut Report) {
    if report.direction == Direction::Response {
        let rule = report.rules.best(Category::Status, &[]);
        let value = |status: Option<u16>| status.map_or(Value::Null, Value::from);
        if rule.is_some() {
            if let Err(text) = matcher::check(rule.as_ref(), &value(expected.status), &value(actual.status)) {
                report.add("$.status", text);
            }
        } else if expected.status != actual.status {
            report.add(
                "$.status",
                format!("expected {}, got {}", show(expected.status), show(actual.status)),
            );
        }
        return;
    }
    if let Some(method) = &expected.method {
        let got = actual.method.as_deref().unwrap_or("GET");
        if !method.eq_ignore_ascii_case(got) {
            report.add("$.method", format!("expected `{method}`, got `{got}`"));
        }
    }
    if let Some(path) = &expected.path {
        let got = actual.path.clone().unwrap_or_default();
        let rule = report.rules.best(Category::Path, &[]);
        if let Err(text) = matcher::check_text(rule.as_ref(), path, &got) {
            report.add("$.path", text);
        }
    }
    query::compare(&expected.query, &actual.query, report);
}

fn match_body(expected: &HttpMessage, actual: &HttpMessage, report: &mut Report) {
    let Some(wanted) = expected.content() else { return };
    let got = actual.content();
    let empty = |body: &Value| body.is_null() || body.as_str().is_some_and(str::is_empty);
    if empty(wanted) {
        if got.is_some_and(|body| !empty(body)) {
            report.add("$.body", "expected no body, got one");
        }
        return;
    }
    let Some(got) = got.filter(|body| !empty(body)) else {
        report.add("$.body", "expected a body, got none");
        return;
    };
    match (wanted, got) {
        (Value::String(wanted), Value::String(got)) if expected.is_xml() => xml::compare(wanted, got, report),
        (Value::String(text), Value::String(other)) if expected.is_form() => {
            query::compare_form(&query::parse(text), &query::parse(other), report);
        }
        (Value::String(text), Value::String(other)) if !expected.is_json() => {
            let rule = report.rules.best(Category::Body, &[]);
            if let Err(text) = matcher::check_text(rule.as_ref(), text, other) {
                report.add("$.body", text);
            }
        }
        // A recorder may hand over the raw text of a JSON body.
        (wanted, Value::String(text)) if !wanted.is_string() => match serde_json::from_str(text) {
            Ok(parsed) => json::compare(wanted, &parsed, report),
            Err(_) => report.add(
                "$.body",
                format!("expected JSON, got text `{}`", message::shorten(text)),
            ),
        },
        (wanted, got) => json::compare(wanted, got, report),
    }
}

fn show(status: Option<u16>) -> String {
    status.map_or_else(|| "none".to_owned(), |status| status.to_string())
}

#[cfg(test)]
mod tests;
