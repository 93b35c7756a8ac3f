//! Query parameters: every name and every value counts, the order of names doesn't.

use std::collections::{BTreeMap, BTreeSet};

use super::rules::{Category, Step};
use super::{Report, matcher};

/// Reads `a=1&b=2`; percent signs and `+` are decoded as in a form (WHATWG URL §5.1).
pub(super) fn parse(text: &str) -> BTreeMap<String, Vec<String>> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for pair in text.trim_start_matches('?').split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        found.entry(decode(name)).or_default().push(decode(value));
    }
    found
}

fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let escaped = (byte == b'%').then(|| {
            let mut ahead = rest.clone();
            let digit = |b: Option<u8>| b.and_then(|b| char::from(b).to_digit(16));
            Some((digit(ahead.next())? * 16 + digit(ahead.next())?, ahead))
        });
        match (byte, escaped.flatten()) {
            (_, Some((value, ahead))) => {
                bytes.push(u8::try_from(value).unwrap_or(b'?'));
                rest = ahead;
            }
            (b'+', None) => bytes.push(b' '),
            (other, None) => bytes.push(other),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

pub(super) fn compare(
    expected: &BTreeMap<String, Vec<String>>,
    actual: &BTreeMap<String, Vec<String>>,
    report: &mut Report,
) {
    fields(expected, actual, (Category::Query, "$.query"), report);
}

/// Compares bodies that are forms: their fields are like parameters.
pub(super) fn compare_form(
    expected: &BTreeMap<String, Vec<String>>,
    actual: &BTreeMap<String, Vec<String>>,
    report: &mut Report,
) {
    fields(expected, actual, (Category::Body, "$.body"), report);
}

fn fields(
    expected: &BTreeMap<String, Vec<String>>,
    actual: &BTreeMap<String, Vec<String>>,
    (category, root): (Category, &str),
    report: &mut Report,
) {
    let names: BTreeSet<&String> = expected.keys().chain(actual.keys()).collect();
    for name in names {
        let path = format!("{root}.{name}");
        let (wanted, got) = match (expected.get(name), actual.get(name)) {
            (Some(wanted), Some(got)) => (wanted, got),
            (Some(_), None) => {
                report.add(path, "expected this parameter, it is missing");
                continue;
            }
            _ => {
                report.add(path, "unexpected parameter");
                continue;
            }
        };
        let step = Step::Name(name.clone());
        let rule = report.rules.best(category, std::slice::from_ref(&step));
        if wanted.len() != got.len() && rule.is_none() {
            report.add(&path, format!("expected {} values, got {}", wanted.len(), got.len()));
        }
        for (at, value) in got.iter().enumerate() {
            let rule = report.rules.best(category, &[step.clone(), Step::Index(at)]);
            let Some(example) = wanted.get(at).or(wanted.first().filter(|_| rule.is_some())) else {
                continue;
            };
            if let Err(text) = matcher::check_text(rule.as_ref(), example, value) {
                report.add(&path, text);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_string_is_decoded() {
        let query = parse("?a=1&b=x+y%20z&a=%C3%BC&flag&c=%zz");
        assert_eq!(query["a"], ["1", "ü"]);
        assert_eq!(query["b"], ["x y z"]);
        assert_eq!(query["flag"], [""]);
        assert_eq!(query["c"], ["%zz"]);
    }
}
