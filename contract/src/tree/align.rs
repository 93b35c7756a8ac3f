//! Which nodes of two documents are the same.

use std::collections::{BTreeMap, BTreeSet};

use super::{Node, NodeId, Sym, Tree};

/// Most nodes that are looked at for references, in all: references may lead to much, again and again.
const MAX_STEPS: usize = 20_000_000;

/// For every node of the revision, the base's node of the same content, where there is one.
pub(crate) struct Alignment {
    nodes: Vec<Option<NodeId>>,
    syms: Vec<Option<Sym>>,
    /// Nodes of the base that mean the same in both, all that they refer to included.
    settled: Vec<bool>,
}

impl Alignment {
    /// `targets` gives where a reference leads, base first; `lost` are those that lead nowhere in either.
    pub(crate) fn new(
        base: &Tree,
        revision: &Tree,
        targets: &BTreeMap<Sym, (NodeId, Option<NodeId>)>,
        lost: &BTreeSet<Sym>,
    ) -> Self {
        let syms: Vec<Option<Sym>> = revision.texts.iter().map(|text| base.sym(text)).collect();
        let mut alignment = Self {
            nodes: Vec::with_capacity(revision.nodes.len()),
            syms,
            settled: Vec::new(),
        };
        // Children stand before their parents, so one pass is enough.
        for node in &revision.nodes {
            let found = alignment.translate(base, revision, *node);
            alignment.nodes.push(found);
        }
        alignment.settle(base, targets, lost, &BTreeSet::new());
        alignment
    }

    fn translate(&self, base: &Tree, revision: &Tree, node: Node) -> Option<NodeId> {
        let sym = |sym: Sym| self.syms.get(sym.at()).copied().flatten();
        match node {
            Node::Null | Node::Bool(_) => find(base, node),
            Node::Number(text) => find(base, Node::Number(sym(text)?)),
            Node::Text(text) => find(base, Node::Text(sym(text)?)),
            Node::List(span) => {
                let items: Option<Vec<NodeId>> =
                    revision.span_items(span).iter().map(|item| self.node(*item)).collect();
                let items = items?;
                let hash = std::hash::BuildHasher::hash_one(&base.hasher, (4_u8, items.as_slice()));
                base.by_content
                    .find(
                        hash,
                        |other| matches!(base.node(*other), Node::List(span) if base.span_items(span) == items),
                    )
                    .copied()
            }
            Node::Map(span) => {
                let entries: Option<Vec<_>> = revision
                    .span_entries(span)
                    .iter()
                    .map(|(key, value)| Some((sym(*key)?, self.node(*value)?)))
                    .collect();
                let mut entries = entries?;
                entries.sort_unstable();
                let hash = std::hash::BuildHasher::hash_one(&base.hasher, (5_u8, entries.as_slice()));
                base.by_content
                    .find(
                        hash,
                        |other| matches!(base.node(*other), Node::Map(span) if base.span_entries(span) == entries),
                    )
                    .copied()
            }
        }
    }

    /// The base's node of the same content.
    pub(crate) fn node(&self, revision: NodeId) -> Option<NodeId> {
        self.nodes.get(revision.at()).copied().flatten()
    }

    /// Whether two nodes have the same content, references taken by their text.
    pub(crate) fn same(&self, base: NodeId, revision: NodeId) -> bool {
        self.node(revision) == Some(base)
    }

    /// Whether two nodes mean the same, all that they refer to included.
    pub(crate) fn settled(&self, base: NodeId, revision: NodeId) -> bool {
        self.same(base, revision) && self.settled.get(base.at()).copied().unwrap_or(false)
    }

    /// Finds the nodes below which no reference leads to something that changed; `changed` are references that do,
    /// whatever can be seen.
    pub(crate) fn settle(
        &mut self,
        base: &Tree,
        targets: &BTreeMap<Sym, (NodeId, Option<NodeId>)>,
        lost: &BTreeSet<Sym>,
        changed: &BTreeSet<Sym>,
    ) {
        // A reference holds if its targets are the same and all references below them hold; what refers to
        // one that doesn't hold doesn't either.
        let mut referrers: BTreeMap<Sym, Vec<Sym>> = BTreeMap::new();
        let mut broken: Vec<Sym> = Vec::new();
        let mut steps = 0;
        for (reference, (target, other)) in targets {
            // What can't be looked through counts as changed, and is compared.
            if steps > MAX_STEPS || changed.contains(reference) || other.is_none_or(|other| !self.same(*target, other))
            {
                broken.push(*reference);
                continue;
            }
            for inner in references_below(base, *target, &mut steps) {
                if !targets.contains_key(&inner) && !lost.contains(&inner) {
                    broken.push(*reference);
                }
                referrers.entry(inner).or_default().push(*reference);
            }
        }
        let mut seen: BTreeSet<Sym> = broken.iter().copied().collect();
        while let Some(next) = broken.pop() {
            for referrer in referrers.get(&next).into_iter().flatten() {
                if seen.insert(*referrer) {
                    broken.push(*referrer);
                }
            }
        }
        let parents: BTreeSet<NodeId> = changed.iter().filter_map(|at| Some(targets.get(at)?.0)).collect();
        let mut settled: Vec<bool> = Vec::with_capacity(base.nodes.len());
        for at in 0..base.nodes.len() {
            let id = NodeId(u32::try_from(at).unwrap_or(u32::MAX));
            let quiet = !base.refers(id)
                || base.reference(id).is_none_or(|reference| {
                    lost.contains(&reference) || targets.contains_key(&reference) && !seen.contains(&reference)
                }) && base
                    .children(id)
                    .all(|child| settled.get(child.at()).copied().unwrap_or(false));
            settled.push(quiet && !parents.contains(&id));
        }
        self.settled = settled;
    }
}

fn find(base: &Tree, node: Node) -> Option<NodeId> {
    base.by_content
        .find(base.content_hash(node), |other| base.node(*other) == node)
        .copied()
}

/// References in a node, those behind references left out.
fn references_below(tree: &Tree, root: NodeId, steps: &mut usize) -> BTreeSet<Sym> {
    let mut found = BTreeSet::new();
    let mut seen = BTreeSet::new();
    let mut waiting = vec![root];
    while let Some(next) = waiting.pop() {
        *steps += 1;
        if !tree.refers(next) || !seen.insert(next) {
            continue;
        }
        found.extend(tree.reference(next));
        waiting.extend(tree.children(next));
    }
    found
}
