//! Text and values into a [`Tree`].

use std::collections::BTreeSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::{Entry, Node, NodeId, Span, Sym, Tree, word};

/// What the keys of a map are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Context {
    /// Keywords: documentation is left out, references are references.
    Keywords,
    /// Names that the author chose, such as those of properties.
    Names,
    /// A value that a client may see, such as a default.
    Data,
}

/// Keys under which keys are names.
const NAMED: [Sym; 26] = [
    word::PROPERTIES,
    word::PATTERN_PROPERTIES,
    word::DEPENDENT_SCHEMAS,
    word::DEPENDENT_REQUIRED,
    word::DEPENDENCIES,
    word::DEFS,
    word::DEFINITIONS,
    word::SCHEMAS,
    word::RESPONSES,
    word::PARAMETERS,
    word::HEADERS,
    word::REQUEST_BODIES,
    word::SECURITY_SCHEMES,
    word::LINKS,
    word::CALLBACKS,
    word::PATH_ITEMS,
    word::PATHS,
    word::WEBHOOKS,
    word::CONTENT,
    word::ENCODING,
    word::MAPPING,
    word::SCOPES,
    word::VARIABLES,
    word::CHANNELS,
    word::MESSAGES,
    word::OPERATIONS,
];
/// Keys under which a value is data.
const DATA: [Sym; 5] = [
    word::DEFAULT,
    word::ENUM,
    word::CONST,
    word::VALUE,
    word::EXTENSIBLE_ENUM,
];
/// Keys that only people read.
const DOCUMENTATION: [Sym; 6] = [
    word::DESCRIPTION,
    word::SUMMARY,
    word::EXAMPLE,
    word::EXAMPLES,
    word::EXTERNAL_DOCS,
    word::COMMENT,
];

impl Context {
    /// What stands under a key; nothing where it is left out.
    fn below(self, key: Sym, tree: &Tree) -> Option<Self> {
        match self {
            Self::Data => Some(Self::Data),
            Self::Names => Some(Self::Keywords),
            Self::Keywords if DOCUMENTATION.contains(&key) => None,
            Self::Keywords if DATA.contains(&key) => Some(Self::Data),
            Self::Keywords if NAMED.contains(&key) => Some(Self::Names),
            Self::Keywords if !key.is_word() && tree.str(key).starts_with("x-") => match tree.str(key) {
                "x-webhooks" | "x-ms-paths" => Some(Self::Names),
                _ => Some(Self::Data),
            },
            Self::Keywords => Some(Self::Keywords),
        }
    }

    /// Items of a list of names have keywords again: the parameters of an operation.
    const fn item(self) -> Self {
        match self {
            Self::Names => Self::Keywords,
            same => same,
        }
    }
}

/// Builds a tree from one or several files.
pub(crate) struct Builder {
    pub(crate) tree: Tree,
    /// References that stand where references may stand, as they are kept.
    pub(crate) references: BTreeSet<Sym>,
    /// Names of references that hang on the way they are reached (JSON Schema 2020-12 §8.2.3.2).
    pub(crate) dynamic: BTreeSet<Sym>,
    /// Keys that stand twice in one object with different values: readers differ in which one they take.
    pub(crate) duplicates: BTreeSet<Sym>,
    /// The file under way, as references name it; empty for the first.
    file: String,
    items: Vec<NodeId>,
    entries: Vec<Entry>,
}

impl Builder {
    pub(crate) fn new() -> Self {
        Self {
            tree: Tree::new(),
            references: BTreeSet::new(),
            dynamic: BTreeSet::new(),
            duplicates: BTreeSet::new(),
            file: String::new(),
            items: Vec::new(),
            entries: Vec::new(),
        }
    }

    /// Adds a JSON text. References in it are taken from `file` on.
    ///
    /// # Errors
    /// When it isn't JSON; what was read of it stays without a name.
    pub(crate) fn json(&mut self, file: &str, text: &str) -> Result<NodeId, serde_json::Error> {
        file.clone_into(&mut self.file);
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let found = self.read(&mut deserializer)?;
        deserializer.end()?;
        Ok(found)
    }

    /// Adds a value. References in it are taken from `file` on.
    pub(crate) fn value(&mut self, file: &str, value: &Value) -> Result<NodeId, serde_json::Error> {
        file.clone_into(&mut self.file);
        self.read(value)
    }

    /// The node of `{}`.
    pub(crate) fn anything(&mut self) -> NodeId {
        self.map(self.entries.len())
    }

    fn read<'de, D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<NodeId, D::Error> {
        let seed = Seed {
            builder: self,
            context: Context::Keywords,
        };
        seed.deserialize(deserializer)
    }

    fn scalar(&mut self, node: Node) -> NodeId {
        self.tree.cons(node, false)
    }

    fn number(&mut self, text: &str) -> NodeId {
        let sym = self.tree.intern(text);
        self.scalar(Node::Number(sym))
    }

    fn list(&mut self, from: usize) -> NodeId {
        let start = self.tree.items.len();
        self.tree.items.extend(self.items.drain(from..));
        let items = self.tree.items.get(start..).unwrap_or_default();
        let refers = items.iter().any(|item| self.tree.refers(*item));
        self.tree.cons(Node::List(span(start, items.len())), refers)
    }

    fn map(&mut self, from: usize) -> NodeId {
        let start = self.tree.entries.len();
        if let Some(fresh) = self.entries.get_mut(from..) {
            // The last of equal keys counts, as in `serde_json`.
            fresh.sort_by_key(|(key, _)| *key);
        }
        for entry in self.entries.drain(from..) {
            match self.tree.entries.get_mut(start..).and_then(|known| known.last_mut()) {
                Some(last) if last.0 == entry.0 => {
                    if last.1 != entry.1 {
                        self.duplicates.insert(entry.0);
                    }
                    *last = entry;
                }
                _ => self.tree.entries.push(entry),
            }
        }
        let entries = self.tree.entries.get(start..).unwrap_or_default();
        let refers = entries
            .iter()
            .any(|(key, value)| *key == word::REF || self.tree.refers(*value));
        self.tree.cons(Node::Map(span(start, entries.len())), refers)
    }

    /// Makes a reference independent of the file that it stands in, and remembers it.
    fn adopt_reference(&mut self, value: NodeId) -> NodeId {
        let Node::Text(sym) = self.tree.node(value) else {
            return value;
        };
        let kept = match self.file.is_empty() && self.tree.str(sym).starts_with('#') {
            true => sym,
            false => {
                let full = absolute(&self.file, self.tree.str(sym));
                self.tree.intern(&full)
            }
        };
        self.references.insert(kept);
        self.scalar(Node::Text(kept))
    }
}

fn span(start: usize, len: usize) -> Span {
    let small = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Span {
        start: small(start),
        len: small(len),
    }
}

/// A reference as seen from the first file: `other/file.yaml#/a` or `#/a`. `..` that leads out is kept.
pub(crate) fn absolute(file: &str, reference: &str) -> String {
    let (path, fragment) = reference.split_once('#').unwrap_or((reference, ""));
    if path.is_empty() {
        return format!("{file}#{fragment}");
    }
    if path.contains("://") || path.starts_with('/') {
        return format!("{path}#{fragment}");
    }
    let mut steps: Vec<&str> = file.split('/').collect();
    steps.pop();
    for step in path.split('/') {
        match step {
            "" | "." => {}
            ".." if steps.last().is_some_and(|last| *last != "..") => drop(steps.pop()),
            other => steps.push(other),
        }
    }
    format!("{}#{fragment}", steps.join("/"))
}

struct Seed<'b> {
    builder: &'b mut Builder,
    context: Context,
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = NodeId;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<NodeId, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = NodeId;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<NodeId, E> {
        Ok(self.builder.scalar(Node::Bool(value)))
    }

    fn visit_i64<E>(self, value: i64) -> Result<NodeId, E> {
        Ok(self.builder.number(&value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<NodeId, E> {
        Ok(self.builder.number(&value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<NodeId, E> {
        // Rust writes `1.0_f64` as `1`, and never in exponents.
        Ok(self.builder.number(&value.to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<NodeId, E> {
        let sym = self.builder.tree.intern(value);
        Ok(self.builder.scalar(Node::Text(sym)))
    }

    fn visit_unit<E>(self) -> Result<NodeId, E> {
        Ok(self.builder.scalar(Node::Null))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<NodeId, A::Error> {
        let from = self.builder.items.len();
        while let Some(item) = list.next_element_seed(Seed {
            builder: self.builder,
            context: self.context.item(),
        })? {
            self.builder.items.push(item);
        }
        Ok(self.builder.list(from))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<NodeId, A::Error> {
        let from = self.builder.entries.len();
        while let Some(key) = map.next_key_seed(Key(&mut self.builder.tree))? {
            let Some(context) = self.context.below(key, &self.builder.tree) else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            let mut value = map.next_value_seed(Seed {
                builder: self.builder,
                context,
            })?;
            let is_dynamic = [word::DYNAMIC_REF, word::RECURSIVE_REF].contains(&key);
            if (key == word::REF || is_dynamic) && self.context == Context::Keywords {
                value = self.builder.adopt_reference(value);
            }
            if is_dynamic
                && self.context == Context::Keywords
                && let Node::Text(name) = self.builder.tree.node(value)
            {
                self.builder.dynamic.insert(name);
                self.builder.entries.push((word::REF, value));
                continue;
            }
            self.builder.entries.push((key, value));
        }
        Ok(self.builder.map(from))
    }
}

struct Key<'t>(&'t mut Tree);

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = Sym;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Sym, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = Sym;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<Sym, E> {
        Ok(self.0.intern(key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(text: &str) -> (Tree, NodeId) {
        let mut builder = Builder::new();
        let root = builder.json("", text).unwrap();
        (builder.tree, root)
    }

    #[test]
    fn order_and_spelling_of_numbers_do_not_count() {
        let (tree, root) = tree(r#"[{"a": 1, "b": [2.0]}, {"b": [2], "a": 1.0}, {"a": 1, "b": [2.5]}]"#);
        let items = tree.items(root);
        assert_eq!(items[0], items[1]);
        assert_ne!(items[0], items[2]);
        assert_eq!(tree.show(items[2]), "{a: 1, b: [2.5]}");
    }

    #[test]
    fn documentation_is_left_out_but_not_names_and_data() {
        let (tree, root) = tree(
            r#"{"description": "x", "properties": {"description": {"type": "string", "example": 1}}, "default": {"summary": 1}}"#,
        );
        assert_eq!(
            tree.show(root),
            "{default: {summary: 1}, properties: {description: {type: string}}}"
        );
    }

    #[test]
    fn references_name_their_file() {
        for (file, reference, expected) in [
            ("", "#/a", "#/a"),
            ("", "b.yaml", "b.yaml#"),
            ("x/y.yaml", "#/a", "x/y.yaml#/a"),
            ("x/y.yaml", "../z.yaml#/b", "z.yaml#/b"),
            ("x/y.yaml", "./z.yaml#/b", "x/z.yaml#/b"),
            ("y.yaml", "../../z.yaml", "../../z.yaml#"),
            ("y.yaml", "https://e.org/z#/a", "https://e.org/z#/a"),
        ] {
            assert_eq!(absolute(file, reference), expected);
        }
    }
}
