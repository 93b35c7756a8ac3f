//! Rows of bits: who relies on a node.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::sync::Arc;

use fixedbitset::{Block, FixedBitSet};
use petgraph::Direction;
use petgraph::algo::kosaraju_scc;
use petgraph::graph::NodeIndex;
use petgraph::visit::NodeFiltered;

use super::Summaries;
use crate::graph::worst::Worst;

/// A set of nodes, with what follows from it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Reach {
    pub(super) nodes: FixedBitSet,
    /// How many they are.
    pub(super) count: usize,
    /// The worst among them.
    pub(super) worst: Worst,
}

impl Reach {
    fn join(&mut self, other: &Self) {
        self.nodes.union_with(&other.nodes);
        self.worst.join(other.worst);
    }

    fn insert(&mut self, node: NodeIndex, own: Worst) {
        self.nodes.grow_and_insert(node.index());
        self.worst.join(own);
    }
}

impl Summaries {
    /// Lets the new edge `from` → `to`, which isn't in the graph yet, count: whoever relies on `from`
    /// and itself now rely on all that `to` relies on. A path that takes the new edge several times need
    /// not: of two takings, what is between can be left out.
    pub(super) fn widen(&mut self, from: NodeIndex, to: NodeIndex, touched: &mut FixedBitSet) {
        let Some(mut more) = self.reach.get(from.index()).map(|reach| Reach::clone(reach)) else {
            return;
        };
        if let Some(own) = self.graph.node_weight(from) {
            more.insert(from, own.worst);
        }
        let mut seen = FixedBitSet::with_capacity(self.graph.node_count());
        // By address of a shared row: the row itself, held so that the address stays taken, and the new one.
        let mut shared: HashMap<*const Reach, (Arc<Reach>, Arc<Reach>)> = HashMap::new();
        let mut open = vec![to];
        while let Some(node) = open.pop() {
            if seen.put(node.index()) {
                continue;
            }
            let Some(row) = self.reach.get_mut(node.index()) else {
                continue;
            };
            // Then it is in the rows of all that this node relies on too.
            if more.nodes.is_subset(&row.nodes) {
                continue;
            }
            touched.grow_and_insert(node.index());
            let address = Arc::as_ptr(row);
            if let Some((_, new)) = shared.get(&address) {
                *row = Arc::clone(new);
            } else if let Some(own) = Arc::get_mut(row) {
                own.join(&more);
                own.count = own.nodes.count_ones(..);
            } else {
                let old = Arc::clone(row);
                let mut new = Reach::clone(row);
                new.join(&more);
                new.count = new.nodes.count_ones(..);
                *row = Arc::new(new);
                shared.insert(address, (old, Arc::clone(row)));
            }
            open.extend(self.graph.neighbors_directed(node, Direction::Outgoing));
        }
    }

    /// Whether there is a way from one node to another, searched from both ends: in a large cycle the
    /// searches meet after few steps, and in a graph without one of them soon ends. A node has a way to
    /// itself only through an edge.
    pub(super) fn connected(&self, from: NodeIndex, to: NodeIndex) -> bool {
        let side = |start: NodeIndex| {
            (
                VecDeque::from([start]),
                FixedBitSet::with_capacity(self.graph.node_count()),
            )
        };
        let ((mut down, mut below), (mut up, mut above)) = (side(from), side(to));
        above.insert(to.index());
        while !down.is_empty() && !up.is_empty() {
            let descend = down.len() <= up.len();
            let (queue, seen, other, direction) = if descend {
                (&mut down, &mut below, &above, Direction::Outgoing)
            } else {
                (&mut up, &mut above, &below, Direction::Incoming)
            };
            let Some(here) = queue.pop_front() else {
                return false;
            };
            for node in self.graph.neighbors_directed(here, direction) {
                if other.contains(node.index()) || (!descend && node == from) {
                    return true;
                }
                if !seen.put(node.index()) {
                    queue.push_back(node);
                }
            }
        }
        false
    }

    /// Computes all rows: consumers first, and one row for a group of nodes that rely on each other.
    pub(super) fn compute_reach(&mut self) {
        for group in kosaraju_scc(&self.graph).into_iter().rev() {
            let row = self.row(&group);
            self.share(&group, &Arc::new(row));
        }
    }

    /// Takes out of the rows what rested on an edge to `to` that is gone, where no other way replaces it.
    /// Gives the nodes whose row changed.
    ///
    /// Only what `to` relies on can lose a dependent, and no dependent but those that `to` itself loses: of
    /// the others there is a way to `to`, and from there on. So the row of `to` is computed as a whole, and
    /// of those after it only the bits that it lost, and only where the row of a consumer changed: else the
    /// union is of the same rows as before.
    ///
    /// Rows only grow along the edges, so that their old sizes are an order in which consumers come first:
    /// of two of one size, the consumer is in a cycle (and so in its own row) and its provider isn't.
    /// The cycle of `to` is the only one that may have fallen apart.
    pub(super) fn narrow(&mut self, to: NodeIndex) -> FixedBitSet {
        let nodes = self.graph.node_count();
        let [mut changed, mut done, mut queued, mut kept] = [(); 4].map(|()| FixedBitSet::with_capacity(nodes));
        let Some(old) = self.reach.get(to.index()).cloned() else {
            return changed;
        };
        let cycle = self.cycle_of(to);
        mark(&cycle, &mut done);
        let part = NodeFiltered::from_fn(&self.graph, |node: NodeIndex| done.contains(node.index()));
        // All of the cycle can still be reached from `to`, so that its group comes first.
        let groups = kosaraju_scc(&part);
        let mut groups = groups.into_iter().rev();
        let Some(first) = groups.next() else {
            return changed;
        };
        let row = self.row(&first);
        let lost = Lost::between(&old.nodes, &row.nodes);
        drop(old);
        self.share(&first, &Arc::new(row));
        mark(&first, &mut changed);
        for group in groups {
            if self.lose(&group, &lost, &mut kept) {
                mark(&group, &mut changed);
            }
        }
        let mut queue = BinaryHeap::new();
        let mut more: Vec<NodeIndex> = cycle
            .into_iter()
            .filter(|node| changed.contains(node.index()))
            .collect();
        loop {
            for provider in more
                .iter()
                .flat_map(|node| self.graph.neighbors_directed(*node, Direction::Outgoing))
            {
                if let Some(row) = self
                    .reach
                    .get(provider.index())
                    .filter(|_| !done.contains(provider.index()) && !queued.put(provider.index()))
                {
                    let alone = !row.nodes.contains(provider.index());
                    queue.push(Reverse((row.count, alone, provider)));
                }
            }
            let Some(Reverse((.., node))) = queue.pop() else {
                return changed;
            };
            more.clear();
            if done.contains(node.index()) {
                continue;
            }
            let group = self.cycle_of(node);
            mark(&group, &mut done);
            if self.lose(&group, &lost, &mut kept) {
                mark(&group, &mut changed);
                more = group;
            }
        }
    }

    /// A node, and those with which it is in a cycle: of what it relies on, those that are in its row, which
    /// has the size of theirs.
    fn cycle_of(&self, node: NodeIndex) -> Vec<NodeIndex> {
        let Some(row) = self
            .reach
            .get(node.index())
            .filter(|row| row.nodes.contains(node.index()))
        else {
            return vec![node];
        };
        let mut seen = FixedBitSet::with_capacity(self.graph.node_count());
        seen.insert(node.index());
        let (mut cycle, mut open) = (Vec::new(), vec![node]);
        while let Some(here) = open.pop() {
            cycle.push(here);
            for next in self.graph.neighbors_directed(here, Direction::Outgoing) {
                let same = self
                    .reach
                    .get(next.index())
                    .is_some_and(|other| other.count == row.count);
                if same && row.nodes.contains(next.index()) && !seen.put(next.index()) {
                    open.push(next);
                }
            }
        }
        cycle
    }

    /// Takes out of a group's row what is lost and not kept by one of its consumers; `kept` is empty space
    /// for those that are. Says whether that changed the row.
    fn lose(&mut self, group: &[NodeIndex], lost: &Lost, kept: &mut FixedBitSet) -> bool {
        kept.clear();
        let first = group.first();
        let mut worst = Worst::default();
        let mut cyclic = group.len() > 1;
        let inside = self.membership(group);
        for (node, consumer, own, reach) in self.consumers_of(group) {
            if inside(consumer) {
                cyclic |= consumer == node;
            } else {
                lost.copy(&reach.nodes, kept);
                kept.insert(consumer.index());
                worst.join(own.joined(reach.worst));
            }
        }
        if cyclic {
            mark(group, kept);
            worst = group
                .iter()
                .fold(worst, |worst, node| worst.joined(self.own_worst(*node)));
        }
        let row = first.and_then(|node| self.reach.get(node.index()));
        if row.is_none_or(|row| lost.all_kept(&row.nodes, kept)) {
            return false;
        }
        // Taken out, so that a row that nobody shares is changed in place.
        let Some(mut row) = first
            .and_then(|node| self.reach.get_mut(node.index()))
            .map(std::mem::take)
        else {
            return false;
        };
        let own = Arc::make_mut(&mut row);
        own.count -= lost.remove_unless(kept, &mut own.nodes);
        own.worst = worst;
        self.share(group, &row);
        true
    }

    fn share(&mut self, group: &[NodeIndex], row: &Arc<Reach>) {
        for node in group {
            if let Some(old) = self.reach.get_mut(node.index()) {
                *old = Arc::clone(row);
            }
        }
    }

    /// Each direct consumer of a group: of which node it is one, and what is known of it.
    fn consumers_of(&self, group: &[NodeIndex]) -> impl Iterator<Item = (NodeIndex, NodeIndex, Worst, &Reach)> {
        group.iter().flat_map(move |node| {
            let consumers = self.graph.neighbors_directed(*node, Direction::Incoming);
            consumers.filter_map(move |consumer| {
                let reach = self.reach.get(consumer.index())?;
                Some((*node, consumer, self.own_worst(consumer), &**reach))
            })
        })
    }

    fn own_worst(&self, node: NodeIndex) -> Worst {
        self.graph.node_weight(node).map(|own| own.worst).unwrap_or_default()
    }

    /// The row of a group of nodes that rely on each other, or of one node, from the rows of those
    /// outside the group who rely on it.
    fn row(&self, group: &[NodeIndex]) -> Reach {
        let mut row = Reach {
            nodes: FixedBitSet::with_capacity(self.graph.node_count()),
            ..Reach::default()
        };
        let mut cyclic = group.len() > 1;
        let inside = self.membership(group);
        for (node, consumer, own, reach) in self.consumers_of(group) {
            if inside(consumer) {
                cyclic |= consumer == node;
            } else {
                row.insert(consumer, own);
                row.join(reach);
            }
        }
        if cyclic {
            group.iter().for_each(|node| row.insert(*node, self.own_worst(*node)));
        }
        row.count = row.nodes.count_ones(..);
        row
    }

    /// Whether a node is in a group.
    fn membership<'a>(&self, group: &'a [NodeIndex]) -> impl Fn(NodeIndex) -> bool + use<'a> {
        let mut members = FixedBitSet::new();
        // Most groups are of one node: no bits for those.
        if group.len() > 1 {
            members.grow(self.graph.node_count());
            mark(group, &mut members);
        }
        move |node| group.first() == Some(&node) || members.contains(node.index())
    }
}

fn mark(nodes: &[NodeIndex], bits: &mut FixedBitSet) {
    nodes.iter().for_each(|node| bits.grow_and_insert(node.index()));
}

/// Bits that a row lost: the words in which there are any, with where they stand.
struct Lost(Vec<(usize, Block)>);

impl Lost {
    fn between(old: &FixedBitSet, new: &FixedBitSet) -> Self {
        let new = new.as_slice().iter().copied().chain(std::iter::repeat(0));
        let gone = old.as_slice().iter().zip(new).map(|(old, new)| old & !new);
        Self(gone.enumerate().filter(|(_, bits)| *bits != 0).collect())
    }

    /// Adds those words of one row to another.
    fn copy(&self, from: &FixedBitSet, to: &mut FixedBitSet) {
        let (from, to) = (from.as_slice(), to.as_mut_slice());
        for (at, _) in &self.0 {
            if let (Some(from), Some(to)) = (from.get(*at), to.get_mut(*at)) {
                *to |= from;
            }
        }
    }

    /// Those of the bits that a row has and that aren't kept, with the place of their word.
    fn of<'a>(&'a self, row: &'a [Block], kept: &'a [Block]) -> impl Iterator<Item = (usize, Block)> + 'a {
        self.0.iter().map(move |(at, bits)| {
            let [row, kept] = [row, kept].map(|words| words.get(*at).copied().unwrap_or_default());
            (*at, bits & row & !kept)
        })
    }

    fn all_kept(&self, row: &FixedBitSet, kept: &FixedBitSet) -> bool {
        self.of(row.as_slice(), kept.as_slice()).all(|(_, gone)| gone == 0)
    }

    /// Takes the bits out of a row unless they are kept. Gives how many it had.
    fn remove_unless(&self, kept: &FixedBitSet, row: &mut FixedBitSet) -> usize {
        let gone: Vec<(usize, Block)> = self.of(row.as_slice(), kept.as_slice()).collect();
        let words = row.as_mut_slice();
        let mut count = 0;
        for (at, gone) in gone {
            if let Some(word) = words.get_mut(at) {
                *word &= !gone;
                count += gone.count_ones() as usize;
            }
        }
        count
    }
}
