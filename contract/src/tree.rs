//! A document as an arena: every distinct text and every distinct subtree is kept once.
//!
//! Descriptions repeat themselves: two versions of 13 MB have some hundred thousand distinct nodes.
//! Kept so, equality inside a document is equality of ids, and [`Alignment`] makes it so between two.

mod align;
mod build;
mod words;

use std::hash::{BuildHasher, RandomState};

use hashbrown::HashTable;

pub(crate) use align::Alignment;
pub(crate) use build::{Builder, absolute};
pub(crate) use words::{Sym, word};

/// One distinct subtree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct NodeId(u32);

impl NodeId {
    const fn at(self) -> usize {
        self.0 as usize
    }
}

/// A stretch of children.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Span {
    start: u32,
    len: u32,
}

impl Span {
    const fn range(self) -> std::ops::Range<usize> {
        self.start as usize..(self.start + self.len) as usize
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Node {
    Null,
    Bool(bool),
    /// As its shortest text: `1` and `1.0` are the same number.
    Number(Sym),
    Text(Sym),
    List(Span),
    /// Entries in the order of their keys' symbols, so that the order in the text doesn't count.
    Map(Span),
}

/// An entry of a map.
pub(crate) type Entry = (Sym, NodeId);

/// Distinct nodes and texts of one or several files.
#[derive(Clone)]
pub(crate) struct Tree {
    texts: Vec<Box<str>>,
    by_text: HashTable<Sym>,
    nodes: Vec<Node>,
    /// Whether a `$ref` stands in the node or below it.
    refers: Vec<bool>,
    by_content: HashTable<NodeId>,
    items: Vec<NodeId>,
    entries: Vec<Entry>,
    hasher: RandomState,
}

impl std::fmt::Debug for Tree {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Tree({} nodes, {} texts)", self.nodes.len(), self.texts.len())
    }
}

impl Tree {
    fn new() -> Self {
        let mut tree = Self {
            texts: Vec::new(),
            by_text: HashTable::new(),
            nodes: Vec::new(),
            refers: Vec::new(),
            by_content: HashTable::new(),
            items: Vec::new(),
            entries: Vec::new(),
            hasher: RandomState::new(),
        };
        for text in words::WORDS {
            tree.intern(text);
        }
        tree
    }

    fn intern(&mut self, text: &str) -> Sym {
        let hash = self.hasher.hash_one(text);
        let texts = &self.texts;
        if let Some(known) = self
            .by_text
            .find(hash, |sym| texts.get(sym.at()).is_some_and(|t| **t == *text))
        {
            return *known;
        }
        let sym = Sym::new(self.texts.len());
        self.texts.push(text.into());
        let (texts, hasher) = (&self.texts, &self.hasher);
        self.by_text.insert_unique(hash, sym, |sym| {
            hasher.hash_one(texts.get(sym.at()).map_or("", |t| &**t))
        });
        sym
    }

    /// The symbol of a text, where the document has it.
    pub(crate) fn sym(&self, text: &str) -> Option<Sym> {
        let hash = self.hasher.hash_one(text);
        self.by_text
            .find(hash, |sym| self.texts.get(sym.at()).is_some_and(|t| **t == *text))
            .copied()
    }

    pub(crate) fn str(&self, sym: Sym) -> &str {
        self.texts.get(sym.at()).map_or("", |text| text)
    }

    fn node(&self, id: NodeId) -> Node {
        self.nodes.get(id.at()).copied().unwrap_or(Node::Null)
    }

    fn span_entries(&self, span: Span) -> &[Entry] {
        self.entries.get(span.range()).unwrap_or_default()
    }

    fn span_items(&self, span: Span) -> &[NodeId] {
        self.items.get(span.range()).unwrap_or_default()
    }

    /// All nodes, children before their parents.
    pub(crate) fn all(&self) -> impl Iterator<Item = NodeId> {
        (0..u32::try_from(self.nodes.len()).unwrap_or(u32::MAX)).map(NodeId)
    }

    /// Entries of a map; none where it isn't one.
    pub(crate) fn entries(&self, id: NodeId) -> &[Entry] {
        match self.node(id) {
            Node::Map(span) => self.span_entries(span),
            _ => &[],
        }
    }

    /// Entries of a map with their keys as text.
    pub(crate) fn pairs(&self, id: NodeId) -> impl Iterator<Item = (&str, NodeId)> {
        self.entries(id).iter().map(|(key, value)| (self.str(*key), *value))
    }

    /// Items of a list; none where it isn't one.
    pub(crate) fn items(&self, id: NodeId) -> &[NodeId] {
        match self.node(id) {
            Node::List(span) => self.span_items(span),
            _ => &[],
        }
    }

    /// The value of a key of a map.
    pub(crate) fn get(&self, id: NodeId, key: Sym) -> Option<NodeId> {
        let entries = self.entries(id);
        let at = entries.binary_search_by_key(&key, |(key, _)| *key).ok()?;
        entries.get(at).map(|(_, value)| *value)
    }

    /// The value of a key that may be any text.
    pub(crate) fn get_str(&self, id: NodeId, key: &str) -> Option<NodeId> {
        self.get(id, self.sym(key)?)
    }

    pub(crate) fn text(&self, id: NodeId) -> Option<&str> {
        match self.node(id) {
            Node::Text(sym) => Some(self.str(sym)),
            _ => None,
        }
    }

    /// The text of a key, where it has one.
    pub(crate) fn text_of(&self, id: NodeId, key: Sym) -> Option<&str> {
        self.text(self.get(id, key)?)
    }

    pub(crate) fn bool(&self, id: NodeId) -> Option<bool> {
        match self.node(id) {
            Node::Bool(value) => Some(value),
            _ => None,
        }
    }

    /// Whether a key is there and true.
    pub(crate) fn flag(&self, id: NodeId, key: Sym) -> bool {
        self.get(id, key).and_then(|value| self.bool(value)) == Some(true)
    }

    pub(crate) fn number(&self, id: NodeId) -> Option<f64> {
        match self.node(id) {
            Node::Number(sym) => self.str(sym).parse().ok(),
            _ => None,
        }
    }

    /// The digits of a number.
    pub(crate) fn digits(&self, id: NodeId) -> Option<&str> {
        match self.node(id) {
            Node::Number(sym) => Some(self.str(sym)),
            _ => None,
        }
    }

    pub(crate) fn is_map(&self, id: NodeId) -> bool {
        matches!(self.node(id), Node::Map(_))
    }

    pub(crate) fn is_list(&self, id: NodeId) -> bool {
        matches!(self.node(id), Node::List(_))
    }

    pub(crate) fn is_null(&self, id: NodeId) -> bool {
        self.node(id) == Node::Null
    }

    /// The symbol of a reference, where the node is one.
    pub(crate) fn reference(&self, id: NodeId) -> Option<Sym> {
        match self.node(self.get(id, word::REF)?) {
            Node::Text(sym) => Some(sym),
            _ => None,
        }
    }

    /// Whether a `$ref` stands in the node or below it.
    pub(crate) fn refers(&self, id: NodeId) -> bool {
        self.refers.get(id.at()).copied().unwrap_or(false)
    }

    /// Children of a node, keys left out.
    pub(crate) fn children(&self, id: NodeId) -> impl Iterator<Item = NodeId> {
        let values = self.entries(id).iter().map(|(_, value)| *value);
        values.chain(self.items(id).iter().copied())
    }

    /// The value as JSON on one line, cut where it is long.
    pub(crate) fn show(&self, id: NodeId) -> String {
        const MAX_SHOWN: usize = 80;
        let mut out = String::new();
        self.write(id, &mut out, MAX_SHOWN);
        if let Some((at, _)) = out.char_indices().nth(MAX_SHOWN) {
            out.truncate(at);
            out.push('…');
        }
        out
    }

    fn write(&self, id: NodeId, out: &mut String, limit: usize) {
        if out.len() > limit {
            return;
        }
        match self.node(id) {
            Node::Null => out.push_str("null"),
            Node::Bool(value) => out.push_str(if value { "true" } else { "false" }),
            Node::Number(sym) | Node::Text(sym) => out.push_str(self.str(sym)),
            Node::List(span) => {
                out.push('[');
                for (at, item) in self.span_items(span).iter().enumerate() {
                    if at > 0 {
                        out.push_str(", ");
                    }
                    self.write(*item, out, limit);
                }
                out.push(']');
            }
            Node::Map(span) => {
                let mut entries: Vec<_> = self
                    .span_entries(span)
                    .iter()
                    .map(|(k, v)| (self.str(*k), *v))
                    .collect();
                entries.sort_unstable();
                out.push('{');
                for (at, (key, value)) in entries.into_iter().enumerate() {
                    if at > 0 {
                        out.push_str(", ");
                    }
                    out.push_str(key);
                    out.push_str(": ");
                    self.write(value, out, limit);
                }
                out.push('}');
            }
        }
    }

    fn content_hash(&self, node: Node) -> u64 {
        match node {
            Node::Null => self.hasher.hash_one((0_u8, 0_u32)),
            Node::Bool(value) => self.hasher.hash_one((1_u8, u32::from(value))),
            Node::Number(sym) => self.hasher.hash_one((2_u8, sym)),
            Node::Text(sym) => self.hasher.hash_one((3_u8, sym)),
            Node::List(span) => self.hasher.hash_one((4_u8, self.span_items(span))),
            Node::Map(span) => self.hasher.hash_one((5_u8, self.span_entries(span))),
        }
    }

    fn same_content(&self, a: Node, b: Node) -> bool {
        match (a, b) {
            (Node::List(a), Node::List(b)) => a.len == b.len && self.span_items(a) == self.span_items(b),
            (Node::Map(a), Node::Map(b)) => a.len == b.len && self.span_entries(a) == self.span_entries(b),
            _ => a == b,
        }
    }

    /// The id of a node whose children were put at the end of the arena: they are taken back where it is known.
    fn cons(&mut self, node: Node, refers: bool) -> NodeId {
        let hash = self.content_hash(node);
        let known = self
            .by_content
            .find(hash, |other| self.same_content(self.node(*other), node))
            .copied();
        if let Some(known) = known {
            match node {
                Node::List(span) => self.items.truncate(span.start as usize),
                Node::Map(span) => self.entries.truncate(span.start as usize),
                _ => {}
            }
            return known;
        }
        let id = NodeId(u32::try_from(self.nodes.len()).unwrap_or(u32::MAX));
        self.nodes.push(node);
        self.refers.push(refers);
        // The table asks again for hashes when it grows; the borrow checker wants it out of the tree meanwhile.
        let mut table = std::mem::take(&mut self.by_content);
        table.insert_unique(hash, id, |other| self.content_hash(self.node(*other)));
        self.by_content = table;
        id
    }
}
