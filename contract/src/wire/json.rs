//! JSON as it was written: numbers with all their digits, keys in their order, blanks and escapes.

use std::collections::BTreeSet;

/// A value as it was written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Json {
    Null,
    Bool(bool),
    /// With the digits as they stand there.
    Number(String),
    Text(String),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Json {
    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "boolean",
            Self::Number(_) => "number",
            Self::Text(_) => "text",
            Self::List(_) => "list",
            Self::Object(_) => "object",
        }
    }

    /// The text of a scalar; `None` for lists and objects.
    pub(super) fn scalar(&self) -> Option<&str> {
        match self {
            Self::Null => Some("null"),
            Self::Bool(true) => Some("true"),
            Self::Bool(false) => Some("false"),
            Self::Number(text) | Self::Text(text) => Some(text),
            Self::List(_) | Self::Object(_) => None,
        }
    }

    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Object(entries) => entries.iter().find(|(name, _)| name == key).map(|(_, value)| value),
            _ => None,
        }
    }
}

/// How a document is written, where that doesn't change what it says. `None`: it has no place to show it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Layout {
    after_colon: Option<String>,
    after_comma: Option<String>,
    before_first: Option<String>,
    end: String,
    escapes: BTreeSet<&'static str>,
}

impl Layout {
    /// Whether both are written the same way, as far as both show it.
    pub(super) fn agrees(&self, other: &Self) -> bool {
        let agree = |one: &Option<String>, two: &Option<String>| one.is_none() || two.is_none() || one == two;
        let escapes = self.escapes.is_empty() || other.escapes.is_empty() || self.escapes == other.escapes;
        agree(&self.after_colon, &other.after_colon)
            && agree(&self.after_comma, &other.after_comma)
            && agree(&self.before_first, &other.before_first)
            && self.end == other.end
            && escapes
    }
}

/// Reads a document; `None`: it is no JSON (RFC 8259), or nested deeper than serde_json's 128.
pub(super) fn read(bytes: &[u8]) -> Option<(Json, Layout)> {
    // The scanner below keeps what a parser throws away, and trusts that all is well-formed.
    serde_json::from_slice::<serde_json::Value>(bytes).ok()?;
    let mut scanner = Scanner {
        bytes,
        at: 0,
        layout: Layout::default(),
    };
    scanner.blanks();
    let value = scanner.value()?;
    scanner.layout.end = String::from_utf8_lossy(bytes.get(scanner.at..)?).into_owned();
    Some((value, scanner.layout))
}

struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
    layout: Layout,
}

impl Scanner<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn blanks(&mut self) -> String {
        let from = self.at;
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
        let blanks = self.bytes.get(from..self.at).unwrap_or_default();
        String::from_utf8_lossy(blanks).into_owned()
    }

    // The recursion is bounded: deeper documents are refused before.
    fn value(&mut self) -> Option<Json> {
        match self.peek()? {
            b'{' => self.object(),
            b'[' => self.list(),
            b'"' => self.text().map(Json::Text),
            _ => {
                let word = self.word();
                Some(match word.as_str() {
                    "null" => Json::Null,
                    "true" => Json::Bool(true),
                    "false" => Json::Bool(false),
                    _ => Json::Number(word),
                })
            }
        }
    }

    fn word(&mut self) -> String {
        let from = self.at;
        while self
            .peek()
            .is_some_and(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
        {
            self.at += 1;
        }
        String::from_utf8_lossy(self.bytes.get(from..self.at).unwrap_or_default()).into_owned()
    }

    fn text(&mut self) -> Option<String> {
        let from = self.at;
        self.at += 1;
        loop {
            match self.peek()? {
                b'"' => break,
                b'\\' => {
                    self.layout.escapes.extend(match self.bytes.get(self.at + 1)? {
                        b'/' => Some("slash"),
                        b'u' => Some("code"),
                        _ => None,
                    });
                    self.at += 2;
                }
                byte => {
                    self.layout.escapes.extend(match byte {
                        b'/' => Some("plain slash"),
                        0x80.. => Some("plain code"),
                        _ => None,
                    });
                    self.at += 1;
                }
            }
        }
        self.at += 1;
        serde_json::from_slice(self.bytes.get(from..self.at)?).ok()
    }

    fn object(&mut self) -> Option<Json> {
        let mut entries = Vec::new();
        self.at += 1;
        let first = self.blanks();
        while self.peek()? != b'}' {
            self.layout.before_first.get_or_insert_with(|| first.clone());
            let key = self.text()?;
            self.blanks();
            self.at += 1;
            let blanks = self.blanks();
            self.layout.after_colon.get_or_insert(blanks);
            let value = self.value()?;
            // Of a key that is there twice, most parsers take the last.
            match entries.iter_mut().find(|(name, _)| *name == key) {
                Some((_, known)) => *known = value,
                None => entries.push((key, value)),
            }
            self.separator();
        }
        self.at += 1;
        Some(Json::Object(entries))
    }

    fn list(&mut self) -> Option<Json> {
        let mut items = Vec::new();
        self.at += 1;
        self.blanks();
        while self.peek()? != b']' {
            items.push(self.value()?);
            self.separator();
        }
        self.at += 1;
        Some(Json::List(items))
    }

    fn separator(&mut self) {
        self.blanks();
        if self.peek() == Some(b',') {
            self.at += 1;
            let blanks = self.blanks();
            // How deep it is indented depends on the place; whether it begins a line doesn't.
            let blanks = if blanks.contains('\n') { "\n".to_owned() } else { blanks };
            self.layout.after_comma.get_or_insert(blanks);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_a_parser_throws_away_is_kept() {
        let (value, layout) = read(b"{\"b\": 1.50,\n \"a\": [1e2, -0, \"\\u00fc/\"]}\n").unwrap();
        let number = |text: &str| Json::Number(text.to_owned());
        let list = vec![number("1e2"), number("-0"), Json::Text("\u{fc}/".to_owned())];
        let entries = vec![("b".to_owned(), number("1.50")), ("a".to_owned(), Json::List(list))];
        assert_eq!(value, Json::Object(entries));
        assert_eq!((layout.after_colon.as_deref(), layout.end.as_str()), (Some(" "), "\n"));
        assert!(!read(b"{\"a\":1}").unwrap().1.agrees(&layout));
        assert_eq!(read(b"{\"a\":1,}"), None);
        assert_eq!(read(b""), None);
    }

    fn documents() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<i64>().prop_map(Into::into),
            any::<f64>().prop_map(Into::into),
            ".{0,8}".prop_map(Into::into),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
                prop::collection::btree_map(".{0,4}", inner, 0..4)
                    .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
            ]
        })
    }

    fn plain(value: &Json) -> serde_json::Value {
        match value {
            Json::Null => serde_json::Value::Null,
            Json::Bool(value) => (*value).into(),
            Json::Number(text) => serde_json::from_str(text).unwrap(),
            Json::Text(text) => text.as_str().into(),
            Json::List(items) => items.iter().map(plain).collect(),
            Json::Object(entries) => entries.iter().map(|(key, value)| (key.clone(), plain(value))).collect(),
        }
    }

    proptest! {
        #[test]
        fn the_scanner_and_the_parser_agree(document in documents(), pretty in any::<bool>()) {
            let text = match pretty {
                true => serde_json::to_string_pretty(&document).unwrap(),
                false => document.to_string(),
            };
            let (scanned, _) = read(text.as_bytes()).unwrap();
            // Parsed again, because the last digit of a float may move once.
            prop_assert_eq!(plain(&scanned), serde_json::from_str::<serde_json::Value>(&text).unwrap());
        }
    }
}
