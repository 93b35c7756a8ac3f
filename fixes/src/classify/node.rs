//! A parsed data file, whatever its format; a key that occurs twice is an error, since parsers
//! disagree about which one counts.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// A value of a data file.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    Null,
    Bool(bool),
    Integer(i128),
    Float(f64),
    Text(String),
    List(Vec<Node>),
    Map(BTreeMap<String, Node>),
}

/// One scalar that differs between two values of the same structure.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Difference<'a> {
    /// Keys and indexes from the root.
    pub path: Vec<String>,
    pub before: &'a Node,
    pub after: &'a Node,
}

impl Difference<'_> {
    pub(super) fn place(&self) -> String {
        self.path.join(".")
    }
}

impl Node {
    pub(super) fn json(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    pub(super) fn toml(text: &str) -> Option<Self> {
        toml::from_str(text).ok()
    }

    pub(super) fn yaml(text: &str) -> Option<Self> {
        let options = serde_yaml::options! { strict_booleans: true, with_snippet: false };
        serde_yaml::from_str_with_options(text, options).ok()
    }

    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Map(map) => map.get(key),
            _ => None,
        }
    }

    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// All scalars that differ; the error is the place where a key, an element or a type differs.
    pub(super) fn differences<'a>(&'a self, after: &'a Self) -> Result<Vec<Difference<'a>>, String> {
        let mut found = Vec::new();
        walk(self, after, &mut Vec::new(), &mut found)?;
        Ok(found)
    }
}

// The recursion is bounded by the parsers' depth limits (serde_json 128, TOML 80, YAML 64).
fn walk<'a>(a: &'a Node, b: &'a Node, path: &mut Vec<String>, found: &mut Vec<Difference<'a>>) -> Result<(), String> {
    match (a, b) {
        (Node::Map(a), Node::Map(b)) => {
            if let Some(key) = a.keys().find(|key| !b.contains_key(*key)) {
                return Err(format!("removes `{}`", joined(path, key)));
            }
            if let Some(key) = b.keys().find(|key| !a.contains_key(*key)) {
                return Err(format!("adds `{}`", joined(path, key)));
            }
            for ((key, a), b) in a.iter().zip(b.values()) {
                path.push(key.clone());
                walk(a, b, path, found)?;
                path.pop();
            }
        }
        (Node::List(a), Node::List(b)) => {
            if a.len() != b.len() {
                return Err(format!("changes the length of the list `{}`", path.join(".")));
            }
            for (at, (a, b)) in a.iter().zip(b).enumerate() {
                path.push(at.to_string());
                walk(a, b, path, found)?;
                path.pop();
            }
        }
        (a, b) if a == b => {}
        (a, b) if std::mem::discriminant(a) == std::mem::discriminant(b) => found.push(Difference {
            path: path.clone(),
            before: a,
            after: b,
        }),
        _ => return Err(format!("changes the type of `{}`", path.join("."))),
    }
    Ok(())
}

fn joined(path: &[String], key: &str) -> String {
    path.iter()
        .map(String::as_str)
        .chain([key])
        .collect::<Vec<_>>()
        .join(".")
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        input.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Integer(value.into()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Integer(value.into()))
    }

    fn visit_i128<E: Error>(self, value: i128) -> Result<Node, E> {
        Ok(Node::Integer(value))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Node, E> {
        Ok(Node::Float(value))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Text(value.to_owned()))
    }

    fn visit_unit<E: Error>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_none<E: Error>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, input: D) -> Result<Node, D::Error> {
        Node::deserialize(input)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut input: A) -> Result<Node, A::Error> {
        let mut list = Vec::new();
        while let Some(value) = input.next_element()? {
            list.push(value);
        }
        Ok(Node::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut input: A) -> Result<Node, A::Error> {
        let mut map = BTreeMap::new();
        while let Some((key, value)) = input.next_entry::<String, Node>()? {
            if map.insert(key.clone(), value).is_some() {
                return Err(A::Error::custom(format!("key `{key}` occurs twice")));
            }
        }
        Ok(Node::Map(map))
    }
}
