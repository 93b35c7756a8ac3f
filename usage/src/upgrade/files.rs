//! The files of a package, and digests of their code.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};

use tree_sitter::{Node, Parser, Tree};

use super::surface::Surface;

/// Most files of one package.
const MAX_PACKAGE_FILES: usize = 20_000;
/// Most bytes of one file of a package: bundles are larger than what people write.
const MAX_PACKAGE_FILE: usize = 4 << 20;
/// How many steps of "uses" a changed piece of code is looked for.
const DEPTH: usize = 5;

/// A file of a package, as the caller read it.
#[derive(Debug, Clone, Copy)]
pub struct PackageFile<'a> {
    /// Path in the package's folder, with `/`.
    pub path: &'a str,
    /// Content; `None` for what isn't text, or wasn't read.
    pub text: Option<&'a str>,
}

/// The files by path, with the single folder that wraps them all (`package/`, `name-1.0/`) taken off.
pub(super) fn collect<'a>(files: &[PackageFile<'a>], marks: &[&str]) -> BTreeMap<&'a str, Option<&'a str>> {
    let mut found: BTreeMap<&str, Option<&str>> = BTreeMap::new();
    for file in files.iter().take(MAX_PACKAGE_FILES) {
        found.insert(file.path, file.text.filter(|text| text.len() <= MAX_PACKAGE_FILE));
    }
    let mut tops: BTreeSet<&str> = BTreeSet::new();
    for path in found.keys() {
        tops.insert(path.split_once('/').map_or("", |(top, _)| top));
    }
    if let (1, Some(top)) = (tops.len(), tops.first()) {
        let wraps = !top.is_empty()
            && marks
                .iter()
                .any(|mark| found.contains_key(format!("{top}/{mark}").as_str()));
        if wraps {
            return found
                .into_iter()
                .filter_map(|(path, text)| Some((path.split_once('/')?.1, text)))
                .collect();
        }
    }
    found
}

/// Parses a text; `None` where that can't be done.
pub(super) fn parse(language: &tree_sitter::Language, text: &str) -> Option<Tree> {
    let mut parser = Parser::new();
    parser.set_language(language).ok()?;
    parser.parse(text, None)
}

/// The text of a node.
pub(super) fn text<'a>(node: Node<'_>, source: &'a str) -> &'a str {
    source.get(node.byte_range()).unwrap_or_default()
}

/// The text of a child.
pub(super) fn field<'a>(node: Node<'_>, name: &str, source: &'a str) -> &'a str {
    node.child_by_field_name(name).map_or("", |child| text(child, source))
}

/// A text with its white space drawn together, cut where it is too long to be shown.
pub(super) fn short(text: &str) -> String {
    let mut plain = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if plain.len() > 300 {
        let cut = (0..=300).rev().find(|at| plain.is_char_boundary(*at)).unwrap_or(0);
        plain.truncate(cut);
        plain.push('…');
    }
    plain
}

/// Line of a node, 1-based.
pub(super) fn line(node: Node<'_>) -> u32 {
    u32::try_from(node.start_position().row).unwrap_or(u32::MAX - 1) + 1
}

/// Named children, comments left out.
pub(super) fn children<'t>(node: Node<'t>) -> Vec<Node<'t>> {
    let mut cursor = node.walk();
    node.named_children(&mut cursor)
        .filter(|child| !child.kind().contains("comment"))
        .collect()
}

fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

/// What pieces of code say and mention, so that a change in what they use changes their digest too.
#[derive(Debug, Clone, Default)]
pub(super) struct Bodies {
    /// Digest of the text, and hashes of the names in it; per piece.
    pieces: Vec<(u64, Vec<u64>)>,
    /// Pieces by the hash of their name.
    by_name: HashMap<u64, Vec<usize>>,
}

impl Bodies {
    /// Adds a piece of code and returns its number plus one, which stands for its digest until [`Bodies::settle`].
    pub fn add(&mut self, name: &str, node: Node<'_>, source: &str) -> u64 {
        let mut hasher = DefaultHasher::new();
        let mut mentions = BTreeSet::new();
        let mut cursor = node.walk();
        'walk: loop {
            let here = cursor.node();
            let skipped = here.kind().contains("comment");
            if here.child_count() == 0 && !skipped {
                let text = text(here, source);
                text.hash(&mut hasher);
                if here.is_named() && here.kind().ends_with("identifier") {
                    mentions.insert(hash(text));
                }
            }
            if !skipped && cursor.goto_first_child() {
                continue;
            }
            loop {
                if cursor.node() == node {
                    break 'walk;
                }
                if cursor.goto_next_sibling() {
                    break;
                }
                if !cursor.goto_parent() {
                    break 'walk;
                }
            }
        }
        self.pieces.push((hasher.finish(), mentions.into_iter().collect()));
        let number = self.pieces.len();
        self.by_name.entry(hash(name)).or_default().push(number - 1);
        number as u64
    }

    /// Replaces the numbers in a surface by digests of each piece and of what it uses, by name.
    pub fn settle(&self, surface: &mut Surface) {
        let mut digests: Vec<u64> = self.pieces.iter().map(|(digest, _)| *digest).collect();
        for _ in 0..DEPTH {
            let of_name: HashMap<u64, u64> = self
                .by_name
                .iter()
                .map(|(name, pieces)| {
                    let parts = pieces.iter().filter_map(|piece| digests.get(*piece));
                    (*name, parts.fold(0u64, |sum, digest| sum.wrapping_add(*digest)))
                })
                .collect();
            digests = self
                .pieces
                .iter()
                .map(|(own, mentions)| {
                    let mut hasher = DefaultHasher::new();
                    own.hash(&mut hasher);
                    for used in mentions.iter().filter_map(|name| of_name.get(name)) {
                        used.hash(&mut hasher);
                    }
                    hasher.finish()
                })
                .collect();
        }
        for item in surface
            .scopes
            .iter_mut()
            .flat_map(|scope| scope.members.values_mut())
            .flatten()
        {
            let number = usize::try_from(item.body).unwrap_or(0);
            item.body = number
                .checked_sub(1)
                .and_then(|at| digests.get(at))
                .copied()
                .unwrap_or(0);
        }
    }
}
