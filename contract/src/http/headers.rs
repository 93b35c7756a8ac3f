//! Headers: names in any letter case, values exact; more headers than expected are fine.

use std::collections::{BTreeMap, BTreeSet};

use super::rules::{Category, Step};
use super::{Report, matcher};

/// Headers whose value is a media type with parameters (RFC 9110 §8.3, §12.5.1).
const WITH_PARAMETERS: [&str; 2] = ["content-type", "accept"];

pub(super) fn compare(
    expected: &BTreeMap<String, Vec<String>>,
    actual: &BTreeMap<String, Vec<String>>,
    report: &mut Report,
) {
    for (name, wanted) in expected {
        let path = format!("$.header.{name}");
        let Some((_, got)) = actual.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)) else {
            report.add(path, format!("expected `{}`, the header is missing", wanted.join(", ")));
            continue;
        };
        let step = Step::Name(name.to_ascii_lowercase());
        let whole = report.rules.best(Category::Header, std::slice::from_ref(&step));
        let single = report.rules.best(Category::Header, &[step, Step::Index(0)]);
        if let Some(rule) = whole.or(single) {
            // A rule is about the whole value, or about each of several.
            let all = matcher::check_text(Some(&rule), &wanted.join(", "), &got.join(", "));
            let each = || {
                let example = |at: usize| wanted.get(at).or(wanted.first()).map_or("", String::as_str);
                let mut values = got.iter().enumerate();
                !got.is_empty()
                    && values.all(|(at, value)| matcher::check_text(Some(&rule), example(at), value).is_ok())
            };
            match all {
                Err(text) if !each() => report.add(path, text),
                _ => {}
            }
            continue;
        }
        let with_parameters = WITH_PARAMETERS.contains(&name.to_ascii_lowercase().as_str());
        let (wanted_values, got_values) = (split(wanted), split(got));
        let same = wanted_values.len() == got_values.len()
            && wanted_values
                .iter()
                .zip(&got_values)
                .all(|(wanted, got)| match with_parameters {
                    true => same_media_type(wanted, got),
                    false => wanted == got,
                });
        if !same {
            report.add(
                path,
                format!("expected `{}`, got `{}`", wanted.join(", "), got.join(", ")),
            );
        }
    }
}

/// Splits comma-separated values; blanks around the comma mean nothing (RFC 9110 §5.6.1).
fn split(values: &[String]) -> Vec<String> {
    values
        .iter()
        .flat_map(|value| value.split(','))
        .map(|value| value.trim().to_owned())
        .collect()
}

/// Whether a media type satisfies the expected one: every expected parameter is there with the
/// same value; more parameters are fine. Letter case doesn't matter in the type, in names and in
/// the charset.
fn same_media_type(expected: &str, actual: &str) -> bool {
    if !expected.contains('/') {
        return expected == actual;
    }
    let (wanted, wanted_parameters) = media_type(expected);
    let (got, got_parameters) = media_type(actual);
    wanted == got && wanted_parameters.is_subset(&got_parameters)
}

fn media_type(text: &str) -> (String, BTreeSet<(String, String)>) {
    let mut parts = text.split(';').map(str::trim);
    let name = parts.next().unwrap_or_default().to_ascii_lowercase();
    let parameters = parts.filter(|part| !part.is_empty()).map(|part| {
        let (key, value) = part.split_once('=').unwrap_or((part, ""));
        let key = key.trim().to_ascii_lowercase();
        let value = value.trim().trim_matches('"');
        let value = if key == "charset" {
            value.to_ascii_lowercase()
        } else {
            value.to_owned()
        };
        (key, value)
    });
    (name, parameters.collect())
}
