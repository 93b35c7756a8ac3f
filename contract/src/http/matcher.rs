//! One matcher of a rule, on one value.

mod moment;

use std::ops::RangeInclusive;

use regex::{Regex, RegexBuilder};
use serde_json::Value;

use super::message::shorten;
use super::rules::{Rule, Rules};

/// Largest compiled pattern, in bytes: patterns come from contract files of other teams.
const MAX_PATTERN_BYTES: usize = 1 << 20;
/// Deepest matchers in matchers.
const MAX_DEPTH: usize = 8;

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
    /// A date or time in a format of Java's `SimpleDateFormat`.
    Moment(Regex, String),
    /// A version (semver.org).
    Version,
    /// Neither null nor empty.
    NotEmpty,
    /// A status of one of these classes, or one of these.
    Status(StatusClass, Vec<u16>),
    /// Each key of an object.
    EachKey(Vec<Matcher>),
    /// Each value of an object, whatever its key; or each element of a list.
    EachValue(Vec<Matcher>),
    /// The values of an object are like the first one of the example; its keys don't matter.
    Values,
    /// A list that holds one element for each variant; the paths of their rules start at the element.
    Contains(Vec<(usize, Rules)>),
}

/// Classes of statuses (RFC 9110 §15), as Pact names them.
const STATUS_CLASSES: &[(&str, RangeInclusive<u16>)] = &[
    ("info", 100..=199),
    ("success", 200..=299),
    ("redirect", 300..=399),
    ("clientError", 400..=499),
    ("serverError", 500..=599),
    ("nonError", 100..=399),
    ("error", 400..=599),
];

/// A class of statuses; without one only listed statuses fit.
type StatusClass = Option<RangeInclusive<u16>>;

impl Matcher {
    /// Reads a matcher that stands in so many others.
    pub(super) fn read_at(value: &Value, depth: usize) -> Result<Self, String> {
        if depth > MAX_DEPTH {
            return Err(format!("matchers are nested deeper than {MAX_DEPTH} levels"));
        }
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
            "date" => Self::moment(text("format").or(text("date")).unwrap_or("yyyy-MM-dd"))?,
            "time" => Self::moment(text("format").or(text("time")).unwrap_or("HH:mm:ss"))?,
            "timestamp" | "datetime" => {
                let format = text("format").or(text("timestamp")).or(text("datetime"));
                Self::moment(format.unwrap_or("yyyy-MM-dd'T'HH:mm:ss"))?
            }
            "semver" => Self::Version,
            "notEmpty" => Self::NotEmpty,
            "statusCode" => Self::status(value.get("status").unwrap_or(&Value::Null))?,
            "values" => Self::Values,
            "eachKey" => Self::EachKey(Self::nested(value, depth)?),
            "eachValue" => Self::EachValue(Self::nested(value, depth)?),
            "arrayContains" => Self::variants(value, depth)?,
            other => return Err(format!("matcher `{}` isn't known", shorten(other))),
        })
    }

    fn moment(format: &str) -> Result<Self, String> {
        let pattern = moment::pattern(format).ok_or_else(|| format!("the format `{}` isn't known", shorten(format)))?;
        let built = RegexBuilder::new(&pattern).size_limit(MAX_PATTERN_BYTES).build();
        let built = built.map_err(|_| format!("the format `{}` can't be read", shorten(format)))?;
        Ok(Self::Moment(built, format.to_owned()))
    }

    fn status(status: &Value) -> Result<Self, String> {
        if let Some(list) = status.as_array() {
            let codes = list
                .iter()
                .filter_map(Value::as_u64)
                .filter_map(|code| u16::try_from(code).ok());
            return Ok(Self::Status(None, codes.collect()));
        }
        let name = status.as_str().unwrap_or_default();
        let class = STATUS_CLASSES.iter().find(|(known, _)| *known == name);
        let (_, range) = class.ok_or_else(|| format!("the class of statuses `{}` isn't known", shorten(name)))?;
        Ok(Self::Status(Some(range.clone()), Vec::new()))
    }

    /// The matchers in `rules`: of each key or value.
    fn nested(value: &Value, depth: usize) -> Result<Vec<Self>, String> {
        let rules = value.get("rules").and_then(Value::as_array);
        let rules = rules.ok_or("a matcher of each key or value without `rules`")?;
        rules.iter().map(|rule| Self::read_at(rule, depth + 1)).collect()
    }

    fn variants(value: &Value, depth: usize) -> Result<Self, String> {
        let variants = value.get("variants").and_then(Value::as_array);
        let variants = variants.ok_or("a matcher of what a list contains without `variants`")?;
        let read = |variant: &Value| {
            let index = variant.get("index").and_then(Value::as_u64).unwrap_or_default();
            let rules = variant
                .get("rules")
                .map_or(Ok(Rules::default()), |rules| Rules::of_body(rules, depth + 1))?;
            Ok((usize::try_from(index).unwrap_or(usize::MAX), rules))
        };
        Ok(Self::Contains(
            variants.iter().map(read).collect::<Result<_, String>>()?,
        ))
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
            Self::Moment(pattern, _) => actual.as_str().is_some_and(|text| pattern.is_match(text)),
            Self::Version => actual.as_str().is_some_and(moment::is_version),
            Self::NotEmpty => match actual {
                Value::Null => false,
                Value::String(text) => !text.is_empty(),
                Value::Array(list) => !list.is_empty(),
                Value::Object(map) => !map.is_empty(),
                _ => true,
            },
            Self::Status(class, codes) => {
                let code = actual.as_u64().and_then(|code| u16::try_from(code).ok());
                code.is_some_and(|code| {
                    codes.contains(&code) || class.as_ref().is_some_and(|range| range.contains(&code))
                })
            }
            Self::EachKey(rules) => actual.as_object().is_some_and(|map| {
                let fits = |key: &String| {
                    let key = Value::from(key.as_str());
                    rules.iter().all(|rule| rule.accepts(&key, &key, true))
                };
                map.keys().all(fits)
            }),
            // Values are compared one by one, where their places are known.
            Self::EachValue(_) | Self::Values => kind(expected) == kind(actual),
            Self::Contains(_) => actual.is_array(),
        }
    }

    /// What each value of an object or a list must be, if this matcher says so.
    pub(super) fn of_each_value(&self) -> Option<&[Self]> {
        match self {
            Self::EachValue(rules) => Some(rules),
            _ => None,
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
            Self::Moment(_, format) => format!("a time like `{}`", shorten(format)),
            Self::Version => "a version".to_owned(),
            Self::NotEmpty => "something that isn't empty".to_owned(),
            Self::Status(Some(range), _) => format!("a status from {} to {}", range.start(), range.end()),
            Self::Status(None, codes) => format!("one of the statuses {codes:?}"),
            Self::EachKey(_) => "an object whose keys fit their rules".to_owned(),
            Self::EachValue(_) | Self::Values => kind(expected).to_owned(),
            Self::Contains(_) => "a list".to_owned(),
        }
    }
}

/// Checks a value by one matcher.
pub(super) fn check_one(matcher: &Matcher, expected: &Value, actual: &Value) -> Result<(), String> {
    if matcher.accepts(expected, actual, false) {
        return Ok(());
    }
    Err(unlike(matcher, expected, actual))
}

fn unlike(matcher: &Matcher, expected: &Value, actual: &Value) -> String {
    let (wanted, got) = (matcher.expects(expected), brief(actual));
    // `1` and `"1"` look alike without their quotes.
    if wanted == format!("`{got}`") {
        return format!("expected {} {wanted}, got {} `{got}`", kind(expected), kind(actual));
    }
    format!("expected {wanted}, got `{got}`")
}

/// Like [`check`] for what is text by nature (path, query, header, XML): there `12` is a number, too.
pub(super) fn check_text(rule: Option<&Rule>, expected: &str, actual: &str) -> Result<(), String> {
    let numeric = |matcher: &Matcher| {
        matches!(
            matcher,
            Matcher::Integer | Matcher::Decimal | Matcher::Number | Matcher::Boolean | Matcher::Status(..)
        )
    };
    let read = |text: &str| match serde_json::from_str::<Value>(text.trim()) {
        Ok(value) if value.is_number() || value.is_boolean() => value,
        _ => Value::from(text),
    };
    match rule {
        Some(rule) if rule.matchers.iter().any(numeric) => check(Some(rule), &read(expected), &read(actual)),
        rule => check(rule, &Value::from(expected), &Value::from(actual)),
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
        Some(matcher) if !fine => Err(unlike(matcher, expected, actual)),
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
