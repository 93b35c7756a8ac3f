//! One matcher of a rule, on one value.

use regex::{Regex, RegexBuilder};
use serde_json::Value;

use super::message::shorten;
use super::rules::Rule;

/// Largest compiled pattern, in bytes: patterns come from contract files of other teams.
const MAX_PATTERN_BYTES: usize = 1 << 20;

/// What a value must be instead of equal to the example.
#[derive(Debug, Clone)]
pub(super) enum Matcher {
    /// Equal after all.
    Equality,
    /// Of the example's JSON type; a list or text of at least / at most so many.
    Type { min: Option<u64>, max: Option<u64> },
    /// A text (or number, boolean as text) that the pattern is found in.
    Pattern(Regex),
    /// A text that holds another.
    Include(String),
    /// A whole number.
    Integer,
    /// A number with a fraction.
    Decimal,
    /// Any number.
    Number,
    /// True or false.
    Boolean,
    /// Null.
    Null,
}

impl Matcher {
    pub(super) fn read(value: &Value) -> Result<Self, String> {
        let text = |key: &str| value.get(key).and_then(Value::as_str);
        let bound = |key: &str| value.get(key).and_then(Value::as_u64);
        let (min, max) = (bound("min"), bound("max"));
        let kind = match text("match") {
            Some(kind) => kind,
            None if text("regex").is_some() => "regex",
            None if min.is_some() || max.is_some() => "type",
            None => return Err("a matcher without `match`".to_owned()),
        };
        Ok(match kind {
            "equality" => Self::Equality,
            "type" | "min" | "max" => Self::Type { min, max },
            "regex" => {
                let pattern = text("regex").ok_or("a regex matcher without `regex`")?;
                let built = RegexBuilder::new(pattern).size_limit(MAX_PATTERN_BYTES).build();
                Self::Pattern(built.map_err(|_| format!("the pattern `{}` can't be read", shorten(pattern)))?)
            }
            "include" => Self::Include(text("value").ok_or("an include matcher without `value`")?.to_owned()),
            "integer" => Self::Integer,
            "decimal" => Self::Decimal,
            "number" => Self::Number,
            "boolean" => Self::Boolean,
            "null" => Self::Null,
            other => return Err(format!("matcher `{}` isn't known", shorten(other))),
        })
    }

    fn accepts(&self, expected: &Value, actual: &Value, inherited: bool) -> bool {
        let number = actual.as_number();
        match self {
            Self::Equality => same(expected, actual),
            Self::Type { min, max } => {
                let size = match actual {
                    Value::Array(list) => Some(list.len() as u64),
                    Value::String(text) => Some(text.chars().count() as u64),
                    _ => None,
                };
                let sized = inherited
                    || size.is_none_or(|size| min.is_none_or(|min| size >= min) && max.is_none_or(|max| size <= max));
                kind(expected) == kind(actual) && sized
            }
            Self::Pattern(pattern) => plain(actual).is_some_and(|text| pattern.is_match(&text)),
            Self::Include(part) => plain(actual).is_some_and(|text| text.contains(part)),
            Self::Integer => number.is_some_and(|number| !number.is_f64()),
            Self::Decimal => number.is_some_and(serde_json::Number::is_f64),
            Self::Number => number.is_some(),
            Self::Boolean => actual.is_boolean(),
            Self::Null => actual.is_null(),
        }
    }

    fn expects(&self, expected: &Value) -> String {
        match self {
            Self::Equality => format!("`{}`", brief(expected)),
            Self::Type { min, max } => {
                let at_least = min.map(|min| format!(", at least {min}")).unwrap_or_default();
                let at_most = max.map(|max| format!(", at most {max}")).unwrap_or_default();
                format!("{}{at_least}{at_most}", kind(expected))
            }
            Self::Pattern(pattern) => format!("something like `{}`", shorten(pattern.as_str())),
            Self::Include(part) => format!("something that holds `{}`", shorten(part)),
            Self::Integer => "a whole number".to_owned(),
            Self::Decimal => "a number with a fraction".to_owned(),
            Self::Number => "a number".to_owned(),
            Self::Boolean => "a boolean".to_owned(),
            Self::Null => "null".to_owned(),
        }
    }
}

/// Checks a value by its rule, or for equality where there is none. The error says what was
/// expected.
pub(super) fn check(rule: Option<&Rule>, expected: &Value, actual: &Value) -> Result<(), String> {
    let equality = [Matcher::Equality];
    let (matchers, any, inherited) = match rule {
        Some(rule) => (rule.matchers.as_slice(), rule.any, rule.inherited),
        None => (equality.as_slice(), false, false),
    };
    let failing: Vec<&Matcher> = matchers
        .iter()
        .filter(|matcher| !matcher.accepts(expected, actual, inherited))
        .collect();
    let fine = if any {
        failing.len() < matchers.len()
    } else {
        failing.is_empty()
    };
    match failing.first() {
        Some(matcher) if !fine => Err(format!(
            "expected {}, got `{}`",
            matcher.expects(expected),
            brief(actual)
        )),
        _ => Ok(()),
    }
}

/// Equality of JSON values; numbers by value, so `1` and `1.0` are the same.
fn same(expected: &Value, actual: &Value) -> bool {
    match (expected, actual) {
        (Value::Number(a), Value::Number(b)) => {
            a == b || (a.is_f64() != b.is_f64() && a.as_f64().is_some() && a.as_f64() == b.as_f64())
        }
        _ => expected == actual,
    }
}

/// JSON type, for people.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        _ => None,
    }
}

/// A value for a message.
pub(super) fn brief(value: &Value) -> String {
    match value {
        Value::String(text) => shorten(text),
        other => shorten(&other.to_string()),
    }
}
