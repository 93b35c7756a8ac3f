//! Bounded reading of JSON that others wrote, with the place of whatever is wrong.

use holdpoint_schemas::SourceError;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::error::SourceResult;

pub mod loose;

/// Deepest nesting; also serde_json's own limit, so that skipped parts are held to it as well.
const MAX_NESTING: usize = 128;
/// Most keys of one object that a look at a document remembers: no known format needs more.
const MAX_KEYS: usize = 256;
/// Longest text in bytes that a look at a document remembers: words such as `dependency_scanning`.
const MAX_TEXT: usize = 64;

/// The text of a file: UTF-8, at most `limit` bytes, without a byte order mark.
pub fn text<'a>(file: &str, bytes: &'a [u8], limit: usize) -> SourceResult<&'a str> {
    if bytes.len() > limit {
        let message = format!("{} bytes, but at most {limit} bytes are read", bytes.len());
        return Err(Box::new(
            SourceError::new(file, message).help("split the file, or check that it is the right one"),
        ));
    }
    if bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]) {
        return Err(Box::new(
            SourceError::new(file, "UTF-16 text, but UTF-8 was expected").help("write the file as UTF-8"),
        ));
    }
    let bytes = bytes.strip_prefix("\u{FEFF}".as_bytes()).unwrap_or(bytes);
    std::str::from_utf8(bytes).map_err(|error| {
        let good = bytes.get(..error.valid_up_to()).unwrap_or_default();
        let line = 1 + good.iter().filter(|b| **b == b'\n').count();
        let last_line = good.rsplit(|b| *b == b'\n').next().unwrap_or_default();
        let column = 1 + String::from_utf8_lossy(last_line).chars().count();
        Box::new(
            SourceError::new(file, "a byte that is not UTF-8")
                .at(&String::from_utf8_lossy(bytes), line, column)
                .help("write the file as UTF-8"),
        )
    })
}

/// Parses a document. `expected` says what it should have been.
pub fn parse<'a, T: Deserialize<'a>>(file: &str, text: &'a str, expected: &str) -> SourceResult<T> {
    check_nesting(file, text)?;
    parse_again(file, text, expected)
}

/// Parses a document whose nesting has been checked by [`parse`].
pub fn parse_again<'a, T: Deserialize<'a>>(file: &str, text: &'a str, expected: &str) -> SourceResult<T> {
    serde_json::from_str(text).map_err(|error| json_error(file, text, &error, expected))
}

/// Parses JSON documents that stand one after another (JSON lines, or a stream of messages), each with `take`.
/// One document is a stream too. Nesting must have been checked by [`check_nesting`].
pub fn parse_stream<'a, T: Deserialize<'a>>(
    file: &str,
    text: &'a str,
    expected: &str,
    mut take: impl FnMut(T) -> SourceResult<()>,
) -> SourceResult<usize> {
    let mut count = 0;
    for document in serde_json::Deserializer::from_str(text).into_iter::<T>() {
        take(document.map_err(|error| json_error(file, text, &error, expected))?)?;
        count += 1;
    }
    Ok(count)
}

fn json_error(file: &str, text: &str, error: &serde_json::Error, expected: &str) -> Box<SourceError> {
    let full = error.to_string();
    // The position is shown by itself; serde_json's columns count bytes, ours count characters.
    let message = full.split(" at line ").next().unwrap_or(&full).to_owned();
    let (line, column) = (error.line().max(1), error.column().max(1));
    let line_text = text.split('\n').nth(line - 1).unwrap_or_default();
    let column = line_text
        .get(..column - 1)
        .map_or(column, |before| before.chars().count() + 1);
    let help = if error.is_eof() {
        "the file is cut off: run the scanner or export again"
    } else {
        "check that the tool that wrote it is set to write this format"
    };
    Box::new(
        SourceError::new(file, format!("{message}; expected {expected}"))
            .at(text, line, column)
            .help(help),
    )
}

/// Refuses nesting beyond the bound, also in parts that no reader looks at.
pub fn check_nesting(file: &str, text: &str) -> SourceResult<()> {
    let (mut depth, mut in_string, mut escaped) = (0usize, false, false);
    let (mut line, mut line_start) = (1usize, 0usize);
    for (offset, byte) in text.bytes().enumerate() {
        if byte == b'\n' {
            line += 1;
            line_start = offset + 1;
        }
        if in_string {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_string = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => in_string = true,
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_NESTING {
            let column = 1 + text.get(line_start..offset).map_or(0, |before| before.chars().count());
            return Err(Box::new(
                SourceError::new(file, format!("nested deeper than {MAX_NESTING} levels"))
                    .at(text, line, column)
                    .help("check that this is the right file: no known format nests so deep"),
            ));
        }
    }
    Ok(())
}

/// A first look at a document: its top-level keys, and the keys one level below. Enough to tell
/// formats apart without building the document.
#[derive(Debug, Default)]
pub struct Outline {
    /// Top-level keys; for each, the keys of its object, or of the first object of its array.
    pub keys: BTreeMap<String, BTreeSet<String>>,
    /// Whether the document is an array; its first element's keys are under the empty name.
    pub is_array: bool,
    /// Short texts one level below, by outer and inner key: what names a report's kind.
    texts: BTreeMap<(String, String), String>,
}

impl Outline {
    /// Whether all of these top-level keys are there.
    pub fn has(&self, keys: &[&str]) -> bool {
        keys.iter().all(|key| self.keys.contains_key(*key))
    }

    /// Whether `inner` is a key of the object (or of the first object of the array) at `outer`.
    pub fn has_inner(&self, outer: &str, inner: &str) -> bool {
        self.keys.get(outer).is_some_and(|keys| keys.contains(inner))
    }

    /// The text of `inner` in the object (or in the first object of the array) at `outer`, if it is short.
    pub fn text(&self, outer: &str, inner: &str) -> Option<&str> {
        self.texts
            .get(&(outer.to_owned(), inner.to_owned()))
            .map(String::as_str)
    }

    /// Whether the document is an array without elements, or whose first element is no object with keys.
    pub fn is_empty_array(&self) -> bool {
        self.is_array && self.keys.values().all(BTreeSet::is_empty)
    }

    fn take(&mut self, outer: String, inner: Inner) {
        if self.keys.len() >= MAX_KEYS && !self.keys.contains_key(&outer) {
            return;
        }
        for (key, text) in inner.texts {
            self.texts.entry((outer.clone(), key)).or_insert(text);
        }
        self.keys.entry(outer).or_default().extend(inner.keys);
    }

    /// Adds what another document of the same stream has.
    pub fn join(&mut self, other: Self) {
        for (outer, keys) in other.keys {
            self.take(
                outer,
                Inner {
                    keys,
                    texts: Vec::new(),
                },
            );
        }
    }
}

impl<'de> Deserialize<'de> for Outline {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Look;
        impl<'de> Visitor<'de> for Look {
            type Value = Outline;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object or array")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Outline, A::Error> {
                let mut outline = Outline::default();
                while let Some(key) = map.next_key::<String>()? {
                    let inner = map.next_value::<Inner>()?;
                    outline.take(key, inner);
                }
                Ok(outline)
            }
            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Outline, A::Error> {
                let mut outline = Outline {
                    is_array: true,
                    ..Outline::default()
                };
                outline.take(String::new(), InnerVisitor.visit_seq(seq)?);
                Ok(outline)
            }
        }
        deserializer.deserialize_any(Look)
    }
}

/// Keys of an object, or of the first element of an array, and its short texts.
#[derive(Default)]
struct Inner {
    keys: BTreeSet<String>,
    texts: Vec<(String, String)>,
}

/// A text of at most [`MAX_TEXT`] bytes; anything else is passed over.
struct ShortText(Option<String>);

struct InnerVisitor;

impl<'de> Visitor<'de> for InnerVisitor {
    type Value = Inner;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Inner, A::Error> {
        let mut inner = Inner::default();
        while let Some(key) = map.next_key::<String>()? {
            let text = map.next_value::<ShortText>()?.0;
            if inner.keys.len() < MAX_KEYS {
                inner.texts.extend(text.map(|text| (key.clone(), text)));
                inner.keys.insert(key);
            }
        }
        Ok(inner)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Inner, A::Error> {
        let first = seq.next_element::<Inner>()?;
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(first.unwrap_or_default())
    }
    fn visit_unit<E>(self) -> Result<Inner, E> {
        Ok(Inner::default())
    }
    fn visit_bool<E: serde::de::Error>(self, _: bool) -> Result<Inner, E> {
        self.visit_unit()
    }
    fn visit_i64<E: serde::de::Error>(self, _: i64) -> Result<Inner, E> {
        self.visit_unit()
    }
    fn visit_u64<E: serde::de::Error>(self, _: u64) -> Result<Inner, E> {
        self.visit_unit()
    }
    fn visit_f64<E: serde::de::Error>(self, _: f64) -> Result<Inner, E> {
        self.visit_unit()
    }
    fn visit_str<E: serde::de::Error>(self, _: &str) -> Result<Inner, E> {
        self.visit_unit()
    }
}

impl<'de> Deserialize<'de> for ShortText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Look;
        impl<'de> Visitor<'de> for Look {
            type Value = ShortText;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON value")
            }
            fn visit_str<E>(self, text: &str) -> Result<ShortText, E> {
                Ok(ShortText((text.len() <= MAX_TEXT).then(|| text.to_owned())))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ShortText, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(ShortText(None))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<ShortText, A::Error> {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(ShortText(None))
            }
            fn visit_unit<E>(self) -> Result<ShortText, E> {
                Ok(ShortText(None))
            }
            fn visit_bool<E>(self, _: bool) -> Result<ShortText, E> {
                Ok(ShortText(None))
            }
            fn visit_i64<E>(self, _: i64) -> Result<ShortText, E> {
                Ok(ShortText(None))
            }
            fn visit_u64<E>(self, _: u64) -> Result<ShortText, E> {
                Ok(ShortText(None))
            }
            fn visit_f64<E>(self, _: f64) -> Result<ShortText, E> {
                Ok(ShortText(None))
            }
        }
        deserializer.deserialize_any(Look)
    }
}

impl<'de> Deserialize<'de> for Inner {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(InnerVisitor)
    }
}

/// A value that tools write as one string or as a list of them.
#[derive(Debug, Clone, Default, serde::Deserialize)]
#[serde(untagged)]
pub enum OneOrMany {
    /// Nothing.
    #[default]
    None,
    /// One.
    One(String),
    /// Several.
    Many(Vec<String>),
}

impl OneOrMany {
    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        let slice = match self {
            Self::None => &[],
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(many) => many.as_slice(),
        };
        slice.iter().map(String::as_str)
    }
}

/// A document that is one entry or a list of them.
#[derive(Debug)]
pub struct OneOrList<T>(Vec<T>);

impl<T> IntoIterator for OneOrList<T> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

// By hand, because an untagged enum would lose the place of an error.
impl<'de, T: Deserialize<'de>> Deserialize<'de> for OneOrList<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Look<T>(std::marker::PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Look<T> {
            type Value = OneOrList<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object or array")
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<OneOrList<T>, A::Error> {
                let one = T::deserialize(serde::de::value::MapAccessDeserializer::new(map))?;
                Ok(OneOrList(vec![one]))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<OneOrList<T>, A::Error> {
                let mut list = Vec::new();
                while let Some(entry) = seq.next_element()? {
                    list.push(entry);
                }
                Ok(OneOrList(list))
            }
        }
        deserializer.deserialize_any(Look(std::marker::PhantomData))
    }
}

/// Reads `null` like an absent field: tools write both.
pub fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(deserializer: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_truncated_document_names_its_place_and_what_was_expected() {
        let error = parse::<Outline>("r.json", "{\n  \"é\": [1,", "a report").unwrap_err();
        assert_eq!(error.position.map(|p| p.0), Some(2));
        assert!(error.message.contains("expected a report"), "{}", error.message);
        assert!(error.help.as_deref().unwrap_or_default().contains("cut off"));
    }

    #[test]
    fn nesting_is_bounded_in_parts_that_nobody_reads_and_not_in_strings() {
        let deep = format!("{{\"x\":{}{}}}", "[".repeat(200), "]".repeat(200));
        let error = parse::<Outline>("r.json", &deep, "a report").unwrap_err();
        assert!(error.message.contains("nested deeper than 128"));
        let text = format!("{{\"x\":\"{}\"}}", "[".repeat(200));
        assert!(parse::<Outline>("r.json", &text, "a report").is_ok());
    }

    #[test]
    fn another_encoding_is_refused_with_its_place() {
        let error = text("r.json", b"{\n\"a\": \"\xff\"", 100).unwrap_err();
        assert_eq!(error.position, Some((2, 7)));
        assert!(
            text("r.json", &[0xFF, 0xFE, 0x7B, 0], 100)
                .unwrap_err()
                .message
                .contains("UTF-16")
        );
        assert_eq!(text("r.json", b"\xEF\xBB\xBF{}", 100).unwrap(), "{}");
    }

    #[test]
    fn a_file_over_the_limit_is_refused() {
        assert!(
            text("r.json", b"12345", 4)
                .unwrap_err()
                .message
                .contains("at most 4 bytes")
        );
    }

    #[test]
    fn an_outline_tells_keys_of_the_first_element() {
        let outline: Outline = parse("r", r#"{"results":[{"a":1},{"b":2}],"errors":null}"#, "x").unwrap();
        assert!(outline.has(&["results", "errors"]));
        assert!(outline.has_inner("results", "a") && !outline.has_inner("results", "b"));
    }
}
