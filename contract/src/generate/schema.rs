//! Values of a schema, and values that break it.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::Random;

/// Deepest nesting of a made value: what is deeper is left out where it may be.
const MAX_DEPTH: usize = 8;
/// Longest chain of references to references.
const MAX_HOPS: usize = 32;
/// Longest made text and list, whatever the schema allows.
const MAX_LENGTH: usize = 64;

/// Texts of well-known formats (JSON Schema validation §7.3, OpenAPI format registry).
const FORMATS: [(&str, &str); 14] = [
    ("date", "2020-02-29"),
    ("date-time", "2020-02-29T23:59:59Z"),
    ("time", "23:59:59Z"),
    ("duration", "PT1H"),
    ("email", "ann@example.com"),
    ("hostname", "host.example.com"),
    ("ipv4", "192.0.2.1"),
    ("ipv6", "2001:db8::1"),
    ("uri", "https://example.com/a"),
    ("uri-reference", "/a"),
    ("url", "https://example.com/a"),
    ("uuid", "7d444840-9dc0-41d1-b245-5ffdce74fad2"),
    ("byte", "aGVsbG8="),
    ("binary", "hello"),
];

/// Which of a schema's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    /// Only what is required, at the lower bounds.
    Least,
    /// All that there is, at the upper bounds.
    Most,
    /// Anything valid.
    Any,
}

/// Makes values of one document's schemas.
pub(super) struct Schemas<'a> {
    document: &'a Value,
}

impl<'a> Schemas<'a> {
    pub(super) const fn new(document: &'a Value) -> Self {
        Self { document }
    }

    /// What a value stands for, its references followed. `None`: they lead nowhere, or out of the file.
    pub(super) fn resolve(&self, value: &'a Value) -> Option<&'a Value> {
        follow(self.document, value)
    }

    /// A schema with all that it takes over by `allOf`, and one of its alternatives.
    fn flat(&self, schema: &Value, which: Which, random: &mut Random, depth: usize) -> Option<Map<String, Value>> {
        let own = follow(self.document, schema)?.as_object().cloned().unwrap_or_default();
        let mut flat = own.clone();
        let mut parts: Vec<&Value> = own
            .get("allOf")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .collect();
        for keyword in ["oneOf", "anyOf"] {
            if let Some(list) = own.get(keyword).and_then(Value::as_array) {
                let at = if which == Which::Any {
                    random.below(list.len())
                } else {
                    0
                };
                parts.extend(list.get(at));
            }
        }
        if depth > MAX_DEPTH && !parts.is_empty() {
            return None;
        }
        for part in parts {
            for (key, value) in self.flat(part, which, random, depth + 1)? {
                match (flat.get_mut(&key), value) {
                    (Some(Value::Object(known)), Value::Object(more)) if key == "properties" => known.extend(more),
                    (Some(Value::Array(known)), Value::Array(more)) if key == "required" => known.extend(more),
                    (Some(_), _) => {}
                    (None, value) => drop(flat.insert(key, value)),
                }
            }
        }
        Some(flat)
    }

    /// A valid value. `None`: none could be made (a pattern, a reference that leads nowhere, an endless schema).
    pub(super) fn value(&self, schema: &Value, which: Which, random: &mut Random) -> Option<Value> {
        self.inner(schema, which, random, 0)
    }

    fn inner(&self, schema: &Value, which: Which, random: &mut Random, depth: usize) -> Option<Value> {
        if depth > MAX_DEPTH {
            return None;
        }
        let flat = self.flat(schema, which, random, depth)?;
        self.make(&flat, which, random, depth + 1)
    }

    fn make(&self, schema: &Map<String, Value>, which: Which, random: &mut Random, depth: usize) -> Option<Value> {
        if depth > MAX_DEPTH {
            return None;
        }
        if let Some(value) = schema.get("const") {
            return Some(value.clone());
        }
        if let Some(list) = schema.get("enum").and_then(Value::as_array) {
            let at = match which {
                Which::Least => 0,
                Which::Most => list.len().saturating_sub(1),
                Which::Any => random.below(list.len()),
            };
            return list.get(at).cloned();
        }
        match kind(schema) {
            "object" => self.object(schema, which, random, depth),
            "array" => self.array(schema, which, random, depth),
            "string" => text(schema, which, random).map(Value::from),
            "integer" => Some(Value::from(whole(schema, which, random))),
            "number" => Some(number(schema, which, random)),
            "boolean" => Some(Value::from(match which {
                Which::Least => false,
                Which::Most => true,
                Which::Any => random.below(2) == 0,
            })),
            "null" => Some(Value::Null),
            _ => Some(Value::from("a")),
        }
    }

    fn object(&self, schema: &Map<String, Value>, which: Which, random: &mut Random, depth: usize) -> Option<Value> {
        let required = required(schema);
        let mut made = Map::new();
        for (name, inner) in schema
            .get("properties")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
        {
            let needed = required.contains(name.as_str());
            let wanted = match which {
                Which::Least => false,
                Which::Most => true,
                Which::Any => random.below(2) == 0,
            };
            let read_only = inner.get("readOnly") == Some(&Value::Bool(true));
            if read_only || !(needed || wanted) {
                continue;
            }
            match self.inner(inner, which, random, depth) {
                Some(value) => drop(made.insert(name.clone(), value)),
                None if needed => return None,
                None => {}
            }
        }
        Some(Value::Object(made))
    }

    fn array(&self, schema: &Map<String, Value>, which: Which, random: &mut Random, depth: usize) -> Option<Value> {
        let (low, high) = bounds(schema, "minItems", "maxItems", 3);
        let count = pick(low, high, which, random);
        let Some(items) = schema.get("items").filter(|_| count > 0) else {
            return Some(json!([]));
        };
        let mut made: Vec<Value> = Vec::new();
        for _ in 0..count {
            match self.inner(items, which, random, depth) {
                Some(value) => made.push(value),
                None if low == 0 => break,
                None => return None,
            }
        }
        if schema.get("uniqueItems") == Some(&Value::Bool(true)) {
            let mut seen = BTreeSet::new();
            made.retain(|value| seen.insert(value.to_string()));
        }
        Some(Value::Array(made))
    }
}

fn follow<'v>(document: &'v Value, value: &'v Value) -> Option<&'v Value> {
    let mut value = value;
    for _ in 0..MAX_HOPS {
        let Some(reference) = value.get("$ref").and_then(Value::as_str) else {
            return Some(value);
        };
        value = document.pointer(reference.strip_prefix('#')?)?;
    }
    None
}

/// The type that a schema says or implies; of several the first that isn't null.
fn kind(schema: &Map<String, Value>) -> &str {
    match schema.get("type") {
        Some(Value::String(one)) => one,
        Some(Value::Array(many)) => {
            let mut names = many.iter().filter_map(Value::as_str);
            names.find(|name| *name != "null").unwrap_or("null")
        }
        _ if schema.contains_key("properties") => "object",
        _ if schema.contains_key("items") => "array",
        _ => "",
    }
}

pub(super) fn required(schema: &Map<String, Value>) -> BTreeSet<&str> {
    let list = schema.get("required").and_then(Value::as_array);
    list.into_iter().flatten().filter_map(Value::as_str).collect()
}

fn bounds(schema: &Map<String, Value>, low: &str, high: &str, default: usize) -> (usize, usize) {
    let read = |key: &str| {
        schema
            .get(key)
            .and_then(Value::as_u64)
            .and_then(|n| usize::try_from(n).ok())
    };
    let low = read(low).unwrap_or_default();
    let high = read(high).unwrap_or(low.saturating_add(default));
    (low.min(MAX_LENGTH), high.clamp(low, MAX_LENGTH.max(low)))
}

fn pick(low: usize, high: usize, which: Which, random: &mut Random) -> usize {
    match which {
        Which::Least => low,
        Which::Most => high,
        Which::Any => low + random.below(high.saturating_sub(low) + 1),
    }
}

fn text(schema: &Map<String, Value>, which: Which, random: &mut Random) -> Option<String> {
    let given = ["example", "default"]
        .into_iter()
        .find_map(|key| schema.get(key).and_then(Value::as_str));
    let format = schema.get("format").and_then(Value::as_str).unwrap_or_default();
    let known = FORMATS
        .iter()
        .find(|(name, _)| *name == format)
        .map(|(_, text)| (*text).to_owned());
    if let Some(pattern) = schema.get("pattern").and_then(Value::as_str) {
        // Without a generator of its own: what is given, or what is tried, must match.
        let pattern = regex::RegexBuilder::new(pattern).size_limit(1 << 20).build().ok()?;
        let tries = [
            "a",
            "A",
            "1",
            "abc",
            "ABC",
            "123",
            "a1",
            "A1",
            "abc-123",
            "ABC-123",
            "2020-02-29",
            "0000",
            "12345",
        ];
        let mut all = given
            .into_iter()
            .map(str::to_owned)
            .chain(known)
            .chain(tries.map(str::to_owned));
        return all.find(|text| pattern.is_match(text));
    }
    if let Some(text) = known {
        return Some(text);
    }
    let (low, high) = bounds(schema, "minLength", "maxLength", 12);
    let length = pick(low.max(1), high.max(1), which, random);
    let letters = "abcdefghijklmnopqrstuvwxyzABCXYZ0123456789 -_'é漢";
    let letters: Vec<char> = if which == Which::Any {
        letters.chars()
    } else {
        "a".chars()
    }
    .collect();
    Some(
        (0..length)
            .filter_map(|_| letters.get(random.below(letters.len())).copied())
            .collect(),
    )
}

fn limits(schema: &Map<String, Value>) -> (f64, f64) {
    let read = |key: &str| schema.get(key).and_then(Value::as_f64);
    // In 3.0 `exclusiveMinimum` is a flag, in 3.1 a number.
    let step = |key: &str| {
        if schema.get(key) == Some(&Value::Bool(true)) {
            1.0
        } else {
            0.0
        }
    };
    let low = read("exclusiveMinimum").map(|low| low + 1.0);
    let high = read("exclusiveMaximum").map(|high| high - 1.0);
    let low = low.or_else(|| Some(read("minimum")? + step("exclusiveMinimum")));
    let high = high.or_else(|| Some(read("maximum")? - step("exclusiveMaximum")));
    let low = low.unwrap_or_else(|| high.map_or(0.0, |high| high.min(0.0)));
    (low, high.unwrap_or(low + 100.0).max(low))
}

#[allow(clippy::cast_possible_truncation)]
fn whole(schema: &Map<String, Value>, which: Which, random: &mut Random) -> i64 {
    // Casts of floats saturate, which is as good a bound as any.
    let (low, high) = limits(schema);
    let (low, high) = (low.ceil() as i64, high.floor() as i64);
    let span = usize::try_from(high.saturating_sub(low)).unwrap_or(1_000);
    let value = match which {
        Which::Least => low,
        Which::Most => high,
        Which::Any => low.saturating_add(i64::try_from(random.below(span.saturating_add(1))).unwrap_or_default()),
    };
    match schema
        .get("multipleOf")
        .and_then(Value::as_i64)
        .filter(|step| *step > 1)
    {
        Some(step) => value.saturating_add(step - 1).div_euclid(step).saturating_mul(step),
        None => value,
    }
}

fn number(schema: &Map<String, Value>, which: Which, random: &mut Random) -> Value {
    let (low, high) = limits(schema);
    let value = match which {
        Which::Least => low,
        Which::Most => high,
        Which::Any => low + (high - low) * (f64::from(u32::try_from(random.below(64)).unwrap_or_default()) / 64.0),
    };
    json!(value)
}

/// Values that break a schema, one rule each, with what they break.
pub(super) fn broken(schemas: &Schemas<'_>, schema: &Value, valid: &Value) -> Vec<(String, Value)> {
    let mut random = Random(0);
    let Some(flat) = schemas.flat(schema, Which::Least, &mut random, 0) else {
        return Vec::new();
    };
    let mut found = vec![("another type".to_owned(), other_type(valid))];
    for (keyword, text) in [
        ("minLength", ""),
        ("format", "not of the format"),
        ("enum", "not listed"),
    ] {
        if flat.contains_key(keyword) && valid.is_string() {
            found.push((format!("against `{keyword}`"), Value::from(text)));
        }
    }
    if let Some(longest) = flat.get("maxLength").and_then(Value::as_u64).filter(|n| *n < 4_096) {
        let count = usize::try_from(longest).unwrap_or_default() + 1;
        found.push(("against `maxLength`".to_owned(), Value::from("a".repeat(count))));
    }
    if valid.is_number() {
        let (low, high) = limits(&flat);
        if flat.contains_key("minimum") || flat.contains_key("exclusiveMinimum") {
            found.push(("against `minimum`".to_owned(), json!(low - 1.0)));
        }
        if flat.contains_key("maximum") || flat.contains_key("exclusiveMaximum") {
            found.push(("against `maximum`".to_owned(), json!(high + 1.0)));
        }
    }
    let Some(object) = valid.as_object() else { return found };
    for name in required(&flat).into_iter().filter(|name| object.contains_key(*name)) {
        let mut less = object.clone();
        less.remove(name);
        found.push((format!("without `{name}`"), Value::Object(less)));
    }
    let properties = flat.get("properties").and_then(Value::as_object);
    for (name, inner) in properties.into_iter().flatten() {
        let Some(value) = object.get(name).filter(|value| !value.is_object()) else {
            continue;
        };
        let inner = follow(schemas.document, inner);
        for (what, wrong) in inner.into_iter().flat_map(|inner| broken(schemas, inner, value)) {
            let mut changed = object.clone();
            changed.insert(name.clone(), wrong);
            found.push((format!("`{name}`: {what}"), Value::Object(changed)));
        }
    }
    found
}

fn other_type(value: &Value) -> Value {
    match value {
        Value::String(_) => json!(7),
        Value::Object(_) | Value::Null => json!([]),
        _ => json!("text"),
    }
}
