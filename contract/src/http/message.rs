//! One HTTP request or response, in Pact's JSON names.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

/// One HTTP request or response as it is expected or was seen. All parts are optional: an absent
/// part isn't pinned (an absent body) or is empty (headers, query).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HttpMessage {
    /// Request method; any letter case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Request path, without the query.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Query parameters: a map of lists, or one string `a=1&b=2`.
    #[serde(default, deserialize_with = "read_query", skip_serializing_if = "BTreeMap::is_empty")]
    pub query: BTreeMap<String, Vec<String>>,
    /// Response status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Headers: each value a string or a list of strings.
    #[serde(
        default,
        deserialize_with = "read_headers",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    pub headers: BTreeMap<String, Vec<String>>,
    /// Body: JSON, or text. `null` is pinned as empty, absent isn't pinned.
    #[serde(default, deserialize_with = "read_present", skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
    /// Pact's matching rules, version 2 or 3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matching_rules: Option<Value>,
}

impl HttpMessage {
    /// Values of a header, whatever the letter case of its name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&[String]> {
        let found = self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, values)| values.as_slice())
    }

    /// The body; Pact v4 wraps it in an object with its type.
    pub(super) fn content(&self) -> Option<&Value> {
        let body = self.body.as_ref()?;
        let wrapped = body.as_object().filter(|map| {
            let known = ["content", "contentType", "contentTypeHint", "encoded"];
            let typed = map.contains_key("contentType") || map.contains_key("encoded");
            // Without a type there is nothing in it.
            let nothing = |content: &Value| content.is_null() || content.as_str() == Some("");
            let bare = map.len() == 1 && map.get("content").is_some_and(nothing);
            (typed || bare) && map.keys().all(|key| known.contains(&key.as_str()))
        });
        wrapped.and_then(|map| map.get("content")).or(Some(body))
    }

    fn media_type(&self) -> Option<String> {
        let wrapped = self
            .body
            .as_ref()
            .and_then(|body| body.get("contentType"))
            .and_then(Value::as_str);
        let header = self
            .header("content-type")
            .and_then(|values| values.first())
            .map(String::as_str);
        header.or(wrapped).map(str::to_ascii_lowercase)
    }

    pub(super) fn is_json(&self) -> bool {
        self.media_type().is_none_or(|media| media.contains("json"))
    }

    pub(super) fn is_form(&self) -> bool {
        let form = |media: String| media.starts_with("application/x-www-form-urlencoded");
        self.media_type().is_some_and(form)
    }

    pub(super) fn is_xml(&self) -> bool {
        let sniffed = || {
            self.content()
                .and_then(Value::as_str)
                .is_some_and(|text| text.starts_with("<?xml"))
        };
        self.media_type().map_or_else(sniffed, |media| media.contains("xml"))
    }
}

/// The start of a text, for a message.
pub(super) fn shorten(text: &str) -> String {
    let short: String = text.chars().take(80).collect();
    if short.len() < text.len() {
        format!("{short}…")
    } else {
        short
    }
}

fn read_present<'de, D: Deserializer<'de>>(input: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(input).map(Some)
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Values {
    One(String),
    Many(Vec<String>),
    Other(Value),
}

impl Values {
    fn list(self) -> Vec<String> {
        match self {
            Self::One(value) => vec![value],
            Self::Many(values) => values,
            Self::Other(value) => vec![value.to_string()],
        }
    }
}

fn read_headers<'de, D: Deserializer<'de>>(input: D) -> Result<BTreeMap<String, Vec<String>>, D::Error> {
    let map = Option::<BTreeMap<String, Values>>::deserialize(input)?.unwrap_or_default();
    Ok(map.into_iter().map(|(name, values)| (name, values.list())).collect())
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Query {
    Text(String),
    Map(BTreeMap<String, Values>),
}

fn read_query<'de, D: Deserializer<'de>>(input: D) -> Result<BTreeMap<String, Vec<String>>, D::Error> {
    Ok(match Option::<Query>::deserialize(input)? {
        None => BTreeMap::new(),
        Some(Query::Text(text)) => super::query::parse(&text),
        Some(Query::Map(map)) => map.into_iter().map(|(name, values)| (name, values.list())).collect(),
    })
}
