//! What a breaking service would affect, for all services at once, kept right while edges change.
//!
//! Who relies on whom is kept as one row of bits per service: an added edge is an OR into the rows of
//! what its provider relies on, and a removed one touches rows only if its provider can't be reached
//! any other way. Services of one cycle share a row.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use fixedbitset::FixedBitSet;
use holdpoint_schemas::service::{EdgeKind, ServiceId};
use petgraph::graph::{DiGraph, NodeIndex};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::exposure::is_entry;
use super::worst::Worst;
use super::{Node, ServiceGraph};

mod exposed;
mod reach;

use exposed::Exposed;
use reach::Reach;

/// Most services that are summarised: rows of bits take (services² / 8) bytes, here 512 MiB.
pub const MAX_SUMMARISED: usize = 1 << 16;

/// There are more services than [`MAX_SUMMARISED`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("{0} services are too many to summarise at once; the most is {MAX_SUMMARISED}")]
pub struct TooManyServices(pub usize);

/// What [`ServiceGraph::blast_radius`] and [`ServiceGraph::exposure`] say of one service, without the
/// paths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// How many rely on it, directly or through others, without itself.
    pub dependents: usize,
    /// The lowest tier number among itself and its dependents.
    pub most_critical_tier: Option<u8>,
    /// Whether it or a dependent faces customers.
    pub reaches_customers: Option<bool>,
    /// Whether revenue stops while it or a dependent is down.
    pub reaches_revenue: Option<bool>,
    /// Whether what the internet sends reaches it.
    pub exposed: Option<bool>,
    /// Whether it relies on itself through others.
    pub in_cycle: bool,
}

/// One edge more or less. There may be several between the same two services; one of them is meant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum EdgeChange {
    /// `from` now relies on `to` (also) in this way.
    Add {
        /// Consumer.
        from: ServiceId,
        /// Provider.
        to: ServiceId,
        /// How.
        kind: EdgeKind,
    },
    /// `from` no longer relies on `to` in this way.
    Remove {
        /// Consumer.
        from: ServiceId,
        /// Provider.
        to: ServiceId,
        /// How.
        kind: EdgeKind,
    },
}

/// How many edges there are between two nodes, this way around.
#[derive(Debug, Clone, Copy, Default)]
struct Lines {
    events: usize,
    others: usize,
}

impl Lines {
    const fn of(&mut self, kind: EdgeKind) -> &mut usize {
        match kind {
            EdgeKind::Event => &mut self.events,
            _ => &mut self.others,
        }
    }
}

/// What matters of one node.
#[derive(Debug, Clone)]
struct Own {
    id: ServiceId,
    worst: Worst,
    entry: Exposed,
}

impl Own {
    fn of(node: &Node) -> Self {
        Self {
            id: node.id.clone(),
            worst: Worst::of(node),
            entry: is_entry(node).into(),
        }
    }
}

/// Summaries of all services, and what it takes to keep them right.
#[derive(Debug, Clone)]
pub struct Summaries {
    graph: DiGraph<Own, Lines>,
    index: BTreeMap<ServiceId, NodeIndex>,
    /// By node: those who rely on it. It is among them itself if it is in a cycle.
    reach: Vec<Arc<Reach>>,
    /// By node: whether what the internet sends reaches it.
    exposed: Vec<Exposed>,
}

impl Summaries {
    /// Computes all summaries.
    ///
    /// # Errors
    /// When there are more services than [`MAX_SUMMARISED`].
    pub fn new(services: &ServiceGraph) -> Result<Self, TooManyServices> {
        let nodes = services.graph.node_count();
        if nodes > MAX_SUMMARISED {
            return Err(TooManyServices(nodes));
        }
        let mut graph = DiGraph::with_capacity(nodes, services.graph.edge_count());
        for node in services.graph.node_weights() {
            graph.add_node(Own::of(node));
        }
        let mut lines: BTreeMap<(NodeIndex, NodeIndex), Lines> = BTreeMap::new();
        for edge in services.graph.edge_indices() {
            if let (Some(ends), Some(edge)) = (services.graph.edge_endpoints(edge), services.graph.edge_weight(edge)) {
                *lines.entry(ends).or_default().of(edge.kind) += 1;
            }
        }
        for ((from, to), lines) in lines {
            graph.add_edge(from, to, lines);
        }
        let nobody = Arc::new(Reach::default());
        let mut summaries = Self {
            reach: vec![nobody; nodes],
            exposed: vec![Exposed::No; nodes],
            index: services.index.clone(),
            graph,
        };
        summaries.compute_reach();
        summaries.recompute_exposed();
        Ok(summaries)
    }

    /// The summary of one service; `None` for an id that isn't in the graph.
    #[must_use]
    pub fn get(&self, service: &ServiceId) -> Option<Summary> {
        self.index.get(service).and_then(|node| self.summary(*node))
    }

    /// All summaries, by id.
    pub fn iter(&self) -> impl Iterator<Item = (&ServiceId, Summary)> {
        self.index
            .iter()
            .filter_map(|(id, node)| Some((id, self.summary(*node)?)))
    }

    /// Applies one change of an edge, and says whose dependents or exposure that changed, in no order that
    /// means anything. The result is what [`Self::new`] gives for the changed graph. A service that wasn't in the graph is added, with
    /// everything about it unknown; removing an edge that isn't there changes nothing.
    ///
    /// # Errors
    /// When there would be more services than [`MAX_SUMMARISED`]; nothing is changed then.
    pub fn apply(&mut self, change: &EdgeChange) -> Result<Vec<&ServiceId>, TooManyServices> {
        let touched = match change {
            EdgeChange::Add { from, to, kind } => self.add(from, to, *kind)?,
            EdgeChange::Remove { from, to, kind } => self.remove(from, to, *kind),
        };
        let own = touched
            .ones()
            .filter_map(|node| self.graph.node_weight(NodeIndex::new(node)));
        Ok(own.map(|own| &own.id).collect())
    }

    fn summary(&self, node: NodeIndex) -> Option<Summary> {
        let own = self.graph.node_weight(node)?;
        let reach = self.reach.get(node.index())?;
        let worst = own.worst.joined(reach.worst);
        let in_cycle = reach.nodes.contains(node.index());
        Some(Summary {
            dependents: reach.count - usize::from(in_cycle),
            most_critical_tier: worst.most_critical_tier(),
            reaches_customers: worst.reaches_customers(),
            reaches_revenue: worst.reaches_revenue(),
            exposed: self.exposed.get(node.index()).copied().unwrap_or_default().into(),
            in_cycle,
        })
    }

    fn add(&mut self, from: &ServiceId, to: &ServiceId, kind: EdgeKind) -> Result<FixedBitSet, TooManyServices> {
        let new: BTreeSet<&ServiceId> = [from, to]
            .into_iter()
            .filter(|id| !self.index.contains_key(*id))
            .collect();
        let nodes = self.graph.node_count() + new.len();
        if nodes > MAX_SUMMARISED {
            return Err(TooManyServices(nodes));
        }
        let mut touched = FixedBitSet::with_capacity(nodes);
        for id in new {
            let own = Own::of(&Node {
                id: id.clone(),
                service: None,
            });
            touched.insert(self.reach.len());
            self.exposed.push(own.entry);
            self.reach.push(Arc::new(Reach::default()));
            self.index.insert(id.clone(), self.graph.add_node(own));
        }
        let (Some(&from), Some(&to)) = (self.index.get(from), self.index.get(to)) else {
            return Ok(touched);
        };
        let edge = match self.graph.find_edge(from, to) {
            Some(edge) => edge,
            None => {
                self.widen(from, to, &mut touched);
                self.graph.add_edge(from, to, Lines::default())
            }
        };
        if let Some(lines) = self.graph.edge_weight_mut(edge) {
            *lines.of(kind) += 1;
        }
        self.raise_exposed(vec![from, to], &mut touched);
        Ok(touched)
    }

    fn remove(&mut self, from: &ServiceId, to: &ServiceId, kind: EdgeKind) -> FixedBitSet {
        let mut touched = FixedBitSet::with_capacity(self.graph.node_count());
        let (Some(&from), Some(&to)) = (self.index.get(from), self.index.get(to)) else {
            return touched;
        };
        let Some(edge) = self.graph.find_edge(from, to) else {
            return touched;
        };
        let Some(lines) = self.graph.edge_weight_mut(edge) else {
            return touched;
        };
        match lines.of(kind) {
            0 => return touched,
            some => *some -= 1,
        }
        let lines = *lines;
        if lines.events + lines.others == 0 {
            self.graph.remove_edge(edge);
        }
        // A way that is left carries all that the edge did.
        let replaced = lines.events + lines.others > 0 || self.connected(from, to);
        if !replaced {
            touched.union_with(&self.narrow(to));
        }
        let last_event = kind == EdgeKind::Event && lines.events == 0;
        if self.was_exposed_through(from, to, !replaced, last_event) {
            touched.union_with(&self.recompute_exposed());
        }
        touched
    }
}
