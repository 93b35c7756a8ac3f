//! Whether what the internet sends reaches a node: see [`crate::graph::ServiceGraph::exposure`].

use fixedbitset::FixedBitSet;
use petgraph::Direction;
use petgraph::graph::NodeIndex;
use petgraph::visit::EdgeRef;

use super::Summaries;

/// In order: who passes something on makes others at most what it is itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Exposed {
    /// It doesn't.
    #[default]
    No,
    /// It may.
    Maybe,
    /// It does.
    Yes,
}

impl From<Option<bool>> for Exposed {
    fn from(exposed: Option<bool>) -> Self {
        match exposed {
            Some(true) => Self::Yes,
            Some(false) => Self::No,
            None => Self::Maybe,
        }
    }
}

impl From<Exposed> for Option<bool> {
    fn from(exposed: Exposed) -> Self {
        match exposed {
            Exposed::Yes => Some(true),
            Exposed::No => Some(false),
            Exposed::Maybe => None,
        }
    }
}

impl Summaries {
    /// Computes it anew for all nodes. Gives those for which it changed.
    pub(super) fn recompute_exposed(&mut self) -> FixedBitSet {
        let entries: Vec<Exposed> = self.graph.node_weights().map(|own| own.entry).collect();
        let before = std::mem::replace(&mut self.exposed, entries);
        let senders = self.graph.node_indices().filter(|node| self.level(*node) > Exposed::No);
        self.raise_exposed(senders.collect(), &mut FixedBitSet::with_capacity(before.len()));
        let changed = before
            .iter()
            .zip(&self.exposed)
            .enumerate()
            .filter(|(_, (old, new))| old != new);
        let mut nodes = FixedBitSet::with_capacity(before.len());
        changed.for_each(|(node, _)| nodes.insert(node));
        nodes
    }

    /// Passes on what the given nodes receive, until nothing changes: each node rises at most twice.
    pub(super) fn raise_exposed(&mut self, mut open: Vec<NodeIndex>, touched: &mut FixedBitSet) {
        while let Some(node) = open.pop() {
            let level = self.level(node);
            let onward = self
                .graph
                .neighbors_directed(node, Direction::Outgoing)
                .map(|to| (to, level));
            let back = self
                .graph
                .edges_directed(node, Direction::Incoming)
                .filter(|edge| edge.weight().events > 0)
                .map(|edge| (edge.source(), level.min(Exposed::Maybe)));
            for (receiver, level) in onward.chain(back) {
                if let Some(old) = self.exposed.get_mut(receiver.index()).filter(|old| **old < level) {
                    *old = level;
                    touched.grow_and_insert(receiver.index());
                    open.push(receiver);
                }
            }
        }
    }

    /// Whether the exposure of an end may have rested on an edge that is gone: `onward` if no other way
    /// leads from `from` to `to`, `back` if no event is left between them.
    pub(super) fn was_exposed_through(&self, from: NodeIndex, to: NodeIndex, onward: bool, back: bool) -> bool {
        let rested_on = |receiver: NodeIndex, level: Exposed| {
            let entry = self.graph.node_weight(receiver).map_or(Exposed::No, |own| own.entry);
            level > entry && self.level(receiver) == level
        };
        (onward && rested_on(to, self.level(from))) || (back && rested_on(from, self.level(to).min(Exposed::Maybe)))
    }

    fn level(&self, node: NodeIndex) -> Exposed {
        self.exposed.get(node.index()).copied().unwrap_or_default()
    }
}
