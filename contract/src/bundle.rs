//! A description with all files that it refers to, as one tree.

use std::collections::{BTreeMap, BTreeSet};

use holdpoint_schemas::SourceError;

use crate::text::{self, MAX_BYTES};
use crate::tree::{Builder, NodeId, Sym, Tree, absolute, word};
use crate::{ContractError, Gap, Sources, Unreadable};

/// Most files of one description; a crawl through a whole repository is no description.
const MAX_FILES: usize = 1_000;
/// Most references that are told as leading nowhere; the verdict is the same with more.
const MAX_GAPS: usize = 100;

/// Where a value is: the target of a reference, and what stands beside the reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct At {
    pub(crate) node: NodeId,
    pub(crate) beside: Option<NodeId>,
}

impl From<NodeId> for At {
    fn from(node: NodeId) -> Self {
        Self { node, beside: None }
    }
}

/// All files of one side, and where its references lead.
#[derive(Debug, Clone)]
pub(crate) struct Bundle {
    pub(crate) tree: Tree,
    pub(crate) root: NodeId,
    /// The schema of anything, `{}`.
    pub(crate) any: NodeId,
    pub(crate) gaps: Vec<Gap>,
    targets: BTreeMap<Sym, NodeId>,
    /// References that lead nowhere, or where nothing could be read: each is told by a gap.
    lost: BTreeSet<Sym>,
    /// Whether keywords beside a reference count, as since OpenAPI 3.1.
    siblings: bool,
}

/// Reads one file into the tree.
pub(crate) fn read_file(builder: &mut Builder, name: &str, file: &str, text: &str) -> Result<NodeId, ContractError> {
    let text = text.trim_start_matches('\u{feff}');
    text::check_size(name, text)?;
    if text.trim_start().starts_with(['{', '[']) || name.ends_with(".json") {
        return builder
            .json(file, text)
            .map_err(|error| text::json_error(name, text, &error));
    }
    let value = text::read_value(name, text)?;
    builder
        .value(file, &value)
        .map_err(|error| text::json_error(name, text, &error))
}

/// The text of the file that a contract starts with.
pub(crate) fn read_root(root: &str, sources: &dyn Sources) -> Result<String, ContractError> {
    sources.read(root).map_err(|why| {
        let help = match why {
            Unreadable::TooLarge { .. } => "split the contract",
            _ => "give a file that can be read",
        };
        SourceError::new(root, format!("can't be read: {why}"))
            .help(help)
            .into()
    })
}

impl Bundle {
    /// A file of some kind, and all that it refers to.
    pub(crate) fn load(root: &str, sources: &dyn Sources) -> Result<Self, ContractError> {
        let text = read_root(root, sources)?;
        let mut builder = Builder::new();
        let node = read_file(&mut builder, root, "", &text)?;
        Ok(Self::new(builder, node, root, &text, Some(&Beside { root, sources })))
    }

    /// Follows references from a root that was read already. `name` and `text` are the root's, for messages.
    pub(crate) fn new(
        mut builder: Builder,
        root: NodeId,
        name: &str,
        text: &str,
        sources: Option<&dyn Sources>,
    ) -> Self {
        let mut gaps = Vec::new();
        let mut roots: BTreeMap<String, Option<NodeId>> = BTreeMap::from([(String::new(), Some(root))]);
        let mut bytes = text.len();
        loop {
            let missing = builder.references.iter().find_map(|reference| {
                let (file, _) = builder.tree.str(*reference).split_once('#')?;
                (!roots.contains_key(file)).then(|| (file.to_owned(), *reference))
            });
            let Some((file, reference)) = missing else { break };
            let read = match sources {
                _ if roots.len() >= MAX_FILES => Err(format!("more than {MAX_FILES} files")),
                _ if file.starts_with('/') => Err(Unreadable::Outside.to_string()),
                None if file.contains("://") => Err(Unreadable::Network.to_string()),
                None => Err("it is another file, and only this one was given".to_owned()),
                Some(sources) => sources.read(&file).map_err(|error| error.to_string()),
            };
            let node = read.and_then(|text| {
                bytes += text.len();
                if bytes > MAX_BYTES {
                    return Err(format!("the files have more than {MAX_BYTES} bytes together"));
                }
                read_file(&mut builder, &file, &file, &text).map_err(|error| error.one_line())
            });
            match node {
                Ok(node) => drop(roots.insert(file, Some(node))),
                Err(why) => {
                    let place = place_of(builder.tree.str(reference), name, text);
                    gaps.push(Gap {
                        place,
                        text: format!("`{}` can't be read: {why}", file.escape_debug()),
                    });
                    roots.insert(file, None);
                }
            }
        }
        let before = |version: &str| version.starts_with("3.0");
        // JSON Schema up to draft 7 (§8.3) ignores what stands beside a reference, too.
        let early = |schema: NodeId| {
            let draft = builder.tree.text(schema);
            draft.is_some_and(|draft| {
                ["draft-03", "draft-04", "draft-06", "draft-07"]
                    .iter()
                    .any(|d| draft.contains(d))
            })
        };
        let siblings = !builder.tree.text_of(root, word::OPENAPI).is_some_and(before)
            && !builder.tree.get_str(root, "$schema").is_some_and(early);
        let references = std::mem::take(&mut builder.references);
        for key in builder.duplicates.iter().take(MAX_GAPS) {
            let key = builder.tree.str(*key).to_owned();
            let place = place_of(&format!("#{key}"), name, text);
            let text = format!(
                "`{}` stands twice in one object: which one counts can't be told",
                key.escape_debug()
            );
            gaps.push(Gap { place, text });
        }
        let dynamic = std::mem::take(&mut builder.dynamic);
        let mut bundle = Self {
            any: builder.anything(),
            tree: builder.tree,
            root,
            gaps,
            targets: BTreeMap::new(),
            lost: BTreeSet::new(),
            siblings,
        };
        bundle.link(&references, &roots, name, text);
        bundle.cut_dynamic(&dynamic, name, text);
        bundle.cut_circles(name, text);
        bundle.lost = references
            .into_iter()
            .filter(|reference| !bundle.targets.contains_key(reference))
            .collect();
        bundle
    }

    fn link(&mut self, references: &BTreeSet<Sym>, roots: &BTreeMap<String, Option<NodeId>>, name: &str, text: &str) {
        let mut anchors = self.anchors();
        anchors.retain(|_, nodes| nodes.len() == 1);
        for reference in references {
            let full = self.tree.str(*reference);
            let (file, pointer) = full.split_once('#').unwrap_or((full, ""));
            // A file that can't be read was told already.
            let Some(Some(root)) = roots.get(file) else { continue };
            let target = match pointer.starts_with('/') || pointer.is_empty() {
                true => pointed(&self.tree, *root, pointer),
                false => anchors.get(pointer).and_then(|nodes| nodes.first()).copied(),
            };
            let target = target.map(|target| (target, self.tree.is_map(target) || self.tree.bool(target).is_some()));
            match target {
                // Read as a schema it would stand for anything.
                Some((_, false)) if self.gaps.len() < MAX_GAPS => self.gaps.push(Gap {
                    place: place_of(full, name, text),
                    text: format!(
                        "reference `{}` leads to something that is no schema",
                        full.escape_debug()
                    ),
                }),
                Some((_, false)) => {}
                Some((target, true)) => drop(self.targets.insert(*reference, target)),
                None if self.gaps.len() < MAX_GAPS => self.gaps.push(Gap {
                    place: place_of(full, name, text),
                    text: format!("reference `{}` leads nowhere", full.escape_debug()),
                }),
                None => {}
            }
        }
    }

    /// `$anchor`s by name (JSON Schema 2020-12 §8.2.2); one that stands in several places means none of them.
    fn anchors(&self) -> BTreeMap<String, BTreeSet<NodeId>> {
        let mut found: BTreeMap<String, BTreeSet<NodeId>> = BTreeMap::new();
        for node in self.tree.all() {
            for name in [word::ANCHOR, word::DYNAMIC_ANCHOR]
                .into_iter()
                .filter_map(|key| self.tree.text_of(node, key))
            {
                found.entry(name.to_owned()).or_default().insert(node);
            }
        }
        found
    }

    /// Dynamic references lead to one place only where there is one file; of several it hangs on the way.
    fn cut_dynamic(&mut self, dynamic: &BTreeSet<Sym>, name: &str, text: &str) {
        let several = self
            .targets
            .keys()
            .chain(dynamic)
            .any(|reference| !self.tree.str(*reference).starts_with('#'));
        for reference in dynamic.iter().filter(|_| several) {
            if self.targets.remove(reference).is_some() {
                let full = self.tree.str(*reference);
                let place = place_of(full, name, text);
                let text = format!("where `{}` leads hangs on the way to it", full.escape_debug());
                self.gaps.push(Gap { place, text });
            }
        }
    }

    /// Where a reference leads, by its symbol.
    pub(crate) fn targets(&self) -> impl Iterator<Item = (Sym, NodeId)> {
        self.targets.iter().map(|(reference, node)| (*reference, *node))
    }

    /// References that lead nowhere in either of two descriptions.
    pub(crate) fn lost_in_both(&self, other: &Self) -> BTreeSet<Sym> {
        let lost = |reference: &&Sym| {
            let same = other.tree.sym(self.tree.str(**reference));
            same.is_none_or(|reference| !other.targets.contains_key(&reference))
        };
        self.lost.iter().filter(lost).copied().collect()
    }

    pub(crate) fn target(&self, reference: Sym) -> Option<NodeId> {
        self.targets.get(&reference).copied()
    }

    /// Follows references, up to the second one that something stands beside: a view goes on from there. One that
    /// leads nowhere ends it. Circles of mere references were cut when the bundle was made.
    pub(crate) fn resolve(&self, id: NodeId) -> At {
        let mut at = At::from(id);
        while let Some(target) = self.next(at.node) {
            if self.siblings && self.tree.entries(at.node).len() > 1 {
                if at.beside.is_some() {
                    break;
                }
                at.beside = Some(at.node);
            }
            at.node = target;
        }
        at
    }

    /// Follows references to their end; what stands beside them is left out.
    pub(crate) fn follow(&self, id: NodeId) -> NodeId {
        let mut node = id;
        while let Some(target) = self.next(node) {
            node = target;
        }
        node
    }

    /// Where a node leads, if it is a reference that leads somewhere.
    pub(crate) fn next(&self, node: NodeId) -> Option<NodeId> {
        self.target(self.tree.reference(node)?)
    }

    /// The reference that a node ends in without leading anywhere: what it stands for isn't known.
    pub(crate) fn lost_at(&self, id: NodeId) -> Option<Sym> {
        self.tree
            .reference(self.follow(id))
            .filter(|end| self.lost.contains(end))
    }

    /// Takes out the references that lead in a circle of mere references, and says so; shortens the others.
    fn cut_circles(&mut self, name: &str, text: &str) {
        let mut ends: BTreeMap<Sym, bool> = BTreeMap::new();
        let all: Vec<Sym> = self.targets.keys().copied().collect();
        for first in all {
            let (mut way, mut at, mut on_way) = (Vec::new(), first, BTreeSet::new());
            let ends_well = loop {
                if let Some(known) = ends.get(&at) {
                    break *known;
                }
                if !on_way.insert(at) {
                    break false;
                }
                way.push(at);
                match self.target(at).and_then(|target| self.tree.reference(target)) {
                    Some(next) => at = next,
                    None => break true,
                }
            };
            // Mere references to references are followed once for all.
            for reference in way.iter().rev().filter(|_| ends_well) {
                let mere = self
                    .target(*reference)
                    .filter(|node| !self.siblings || self.tree.entries(*node).len() == 1);
                if let Some(end) = mere.and_then(|node| self.next(node)) {
                    self.targets.insert(*reference, end);
                }
            }
            ends.extend(way.into_iter().map(|reference| (reference, ends_well)));
        }
        for reference in ends.into_iter().filter(|(_, ends_well)| !ends_well).map(|(at, _)| at) {
            self.targets.remove(&reference);
            if self.gaps.len() < MAX_GAPS {
                let full = self.tree.str(reference);
                self.gaps.push(Gap {
                    place: place_of(full, name, text),
                    text: format!("reference `{}` leads in a circle to itself", full.escape_debug()),
                });
            }
        }
    }

    /// The value of a key, references followed.
    pub(crate) fn get(&self, id: NodeId, key: Sym) -> Option<NodeId> {
        Some(self.follow(self.tree.get(id, key)?))
    }

    /// The last step of a reference: the name of what it leads to.
    pub(crate) fn name(&self, id: NodeId) -> Option<&str> {
        let reference = self.tree.str(self.tree.reference(id)?);
        reference.rsplit(['/', '#']).find(|step| !step.is_empty())
    }
}

/// The value that a JSON pointer leads to (RFC 6901), which may be percent-encoded in a URI.
fn pointed(tree: &Tree, root: NodeId, pointer: &str) -> Option<NodeId> {
    let mut node = root;
    for step in pointer.split('/').skip(1) {
        let decoded = percent_decoded(step).replace("~1", "/").replace("~0", "~");
        let by_key = tree.get_str(node, &decoded);
        let by_index = || tree.items(node).get(decoded.parse::<usize>().ok()?).copied();
        node = by_key.or_else(by_index)?;
    }
    Some(node)
}

fn percent_decoded(step: &str) -> String {
    if !step.contains('%') {
        return step.to_owned();
    }
    let bytes = step.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let code = (*byte == b'%')
            .then(|| step.get(at + 1..at + 3))
            .flatten()
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        out.push(code.unwrap_or(*byte));
        at += if code.is_some() { 3 } else { 1 };
    }
    String::from_utf8(out).unwrap_or_else(|_| step.to_owned())
}

/// `file:line` of the first occurrence of a reference in the root file, or the reference's own file.
fn place_of(reference: &str, name: &str, text: &str) -> String {
    let (file, pointer) = reference.split_once('#').unwrap_or((reference, ""));
    let word = match file.is_empty() {
        true => pointer,
        false => file.rsplit('/').next().unwrap_or(file),
    };
    match text.find(word).and_then(|at| text.get(..at)) {
        Some(before) if !word.is_empty() => format!("{name}:{}", before.matches('\n').count() + 1),
        _ => name.to_owned(),
    }
}

/// An error at the first occurrence of a word.
pub(crate) fn fault(file: &str, text: &str, word: &str, message: impl Into<String>, help: &str) -> ContractError {
    let error = SourceError::new(file, message).help(help);
    let error = match text.find(word).and_then(|at| text.get(..at)) {
        Some(before) => {
            let line = before.matches('\n').count() + 1;
            let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
            text::at(error, text, line, column)
        }
        None => error,
    };
    error.into()
}

/// Files as the root names them: relative to its own folder.
pub(crate) struct Beside<'a> {
    pub(crate) root: &'a str,
    pub(crate) sources: &'a dyn Sources,
}

impl Sources for Beside<'_> {
    fn paths(&self) -> Vec<String> {
        self.sources.paths()
    }

    fn read(&self, path: &str) -> Result<String, Unreadable> {
        let full = absolute(self.root, path);
        let full = full.strip_suffix('#').unwrap_or(&full);
        match full.starts_with("../") {
            true => Err(Unreadable::Outside),
            false => self.sources.read(full),
        }
    }
}
