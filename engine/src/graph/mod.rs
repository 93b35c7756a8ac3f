//! The service graph: who relies on whom, and what follows from it.
//!
//! Edges point from consumer to provider; cycles are allowed. One file per question:
//! - [`BlastRadius`]: who can be affected when a service breaks, path by path
//! - [`Exposure`]: whether what the internet sends reaches a service
//! - [`SinglePoint`]: who is cut off from what without it
//! - [`ServiceGraph::cycles`]: who relies on itself through others
//! - [`ComplianceScopes`]: standards whose scope it is in or is connected to
//! - [`Summaries`]: the answers for all services at once, kept right while edges change

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::OnceLock;

use holdpoint_schemas::service::{Catalogue, Edge, NodeKind, Service, ServiceId};
use petgraph::Direction;
use petgraph::graph::{DiGraph, NodeIndex};

mod blast;
mod cycle;
mod exposure;
mod scope;
mod single_point;
mod summary;
mod tier_zero;
mod worst;

pub use blast::{BlastRadius, Dependent};
pub use exposure::Exposure;
pub use scope::ComplianceScopes;
pub use single_point::{SinglePoint, SinglePoints};
pub use summary::{EdgeChange, MAX_SUMMARISED, Summaries, Summary, TooManyServices};

/// Longest chain that is spelled out, in nodes. Longer ones are no help to people, and one long chain
/// would need memory that grows with the square of its length.
pub const MAX_PATH: usize = 64;

/// The graph over one catalogue: edges point from consumer to provider; cycles are allowed.
#[derive(Debug, Clone)]
pub struct ServiceGraph {
    graph: DiGraph<Node, Edge>,
    index: BTreeMap<ServiceId, NodeIndex>,
    /// Groups that rely on themselves, and their nodes.
    cycles: Vec<Vec<NodeIndex>>,
    cyclic: BTreeSet<NodeIndex>,
    /// Computed when first asked for: it takes longer than the rest, and few ask.
    dominators: OnceLock<single_point::Dominators>,
}

/// A node: described by a catalogue, or only named by an edge.
#[derive(Debug, Clone)]
struct Node {
    id: ServiceId,
    service: Option<Service>,
}

impl Node {
    /// One that no catalogue describes counts as a service: those are what can be critical.
    fn kind(&self) -> NodeKind {
        self.service.as_ref().map_or(NodeKind::Service, |service| service.kind)
    }

    fn tier(&self) -> Option<u8> {
        self.service.as_ref().and_then(|service| service.tier)
    }

    fn customer_facing(&self) -> Option<bool> {
        self.service.as_ref().and_then(|service| service.customer_facing)
    }

    fn revenue_critical(&self) -> Option<bool> {
        self.service.as_ref().and_then(|service| service.revenue_critical)
    }

    fn internet_facing(&self) -> Option<bool> {
        self.service
            .as_ref()
            .and_then(|service| service.runtime.internet_facing)
    }
}

impl ServiceGraph {
    /// Builds the graph. A node that only an edge names is kept, with everything about it unknown
    /// (see [`Self::unknown_nodes`]). Of two services with one id the first counts.
    #[must_use]
    pub fn new(catalogue: &Catalogue) -> Self {
        let mut graph = DiGraph::new();
        let mut index = BTreeMap::new();
        for service in &catalogue.services {
            index.entry(service.id.clone()).or_insert_with(|| {
                graph.add_node(Node {
                    id: service.id.clone(),
                    service: Some(service.clone()),
                })
            });
        }
        for edge in &catalogue.edges {
            let [from, to] = [&edge.from, &edge.to].map(|id| {
                *index.entry(id.clone()).or_insert_with(|| {
                    graph.add_node(Node {
                        id: id.clone(),
                        service: None,
                    })
                })
            });
            graph.add_edge(from, to, edge.clone());
        }
        let cycles = cycle::components(&graph);
        Self {
            cyclic: cycles.iter().flatten().copied().collect(),
            cycles,
            graph,
            index,
            dominators: OnceLock::new(),
        }
    }

    /// Nodes that an edge names and no catalogue describes, by id.
    #[must_use]
    pub fn unknown_nodes(&self) -> Vec<&ServiceId> {
        self.index
            .iter()
            .filter(|(_, node)| self.graph.node_weight(**node).is_some_and(|n| n.service.is_none()))
            .map(|(id, _)| id)
            .collect()
    }

    /// The direct edges to a service, by consumer; empty for an id that isn't in the graph.
    #[must_use]
    pub fn consumers(&self, service: &ServiceId) -> Vec<&Edge> {
        self.edges(service, Direction::Incoming)
    }

    /// The direct edges of a service to what it relies on, by provider; empty for an id that isn't in
    /// the graph.
    #[must_use]
    pub fn providers(&self, service: &ServiceId) -> Vec<&Edge> {
        self.edges(service, Direction::Outgoing)
    }

    fn edges(&self, service: &ServiceId, direction: Direction) -> Vec<&Edge> {
        let Some(&node) = self.index.get(service) else {
            return Vec::new();
        };
        let mut edges: Vec<&Edge> = self
            .graph
            .edges_directed(node, direction)
            .map(|edge| edge.weight())
            .collect();
        edges.sort();
        edges
    }

    /// The nodes that a step along the edges leads to, each once, by id.
    fn next(&self, node: NodeIndex, direction: Direction) -> Vec<NodeIndex> {
        let mut next: Vec<NodeIndex> = self.graph.neighbors_directed(node, direction).collect();
        self.sort(&mut next);
        next
    }

    /// Sorted by id, each once, so that answers never depend on the order of a catalogue.
    fn sort(&self, nodes: &mut Vec<NodeIndex>) {
        nodes.sort_by_key(|index| self.graph.node_weight(*index).map(|node| &node.id));
        nodes.dedup();
    }

    fn ids(&self, nodes: impl IntoIterator<Item = NodeIndex>) -> Vec<ServiceId> {
        nodes
            .into_iter()
            .filter_map(|index| self.graph.node_weight(index).map(|node| node.id.clone()))
            .collect()
    }

    /// A shortest way from `start` to a node that is a `goal`, both ends included.
    fn nearest(
        &self,
        start: NodeIndex,
        next: impl Fn(NodeIndex) -> Vec<NodeIndex>,
        goal: impl Fn(&Node) -> bool,
    ) -> Option<Vec<NodeIndex>> {
        let mut came_from = BTreeMap::from([(start, start)]);
        let mut queue = VecDeque::from([start]);
        while let Some(here) = queue.pop_front() {
            if self.graph.node_weight(here).is_some_and(&goal) {
                let back = std::iter::successors(Some(here), |at| came_from.get(at).copied().filter(|from| from != at));
                let mut way: Vec<NodeIndex> = back.collect();
                way.reverse();
                return Some(way);
            }
            for node in next(here) {
                came_from.entry(node).or_insert_with(|| {
                    queue.push_back(node);
                    here
                });
            }
        }
        None
    }
}

#[cfg(test)]
mod tests;
