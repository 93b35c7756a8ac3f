//! The service graph: who relies on whom, and who can be affected when a service breaks.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use holdpoint_schemas::service::{Catalogue, Edge, NodeKind, Service, ServiceId};
use petgraph::Direction;
use petgraph::algo::kosaraju_scc;
use petgraph::graph::{DiGraph, NodeIndex};
use serde::{Deserialize, Serialize};

/// Longest chain that is spelled out, in nodes. Longer ones are no help to people, and one long chain
/// would need memory that grows with the square of its length.
pub const MAX_PATH: usize = 64;

/// One party that relies on a service, directly or through others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dependent {
    /// Id.
    pub id: ServiceId,
    /// Name for people.
    pub name: String,
    /// What kind of node; one that no catalogue describes counts as a service.
    pub kind: NodeKind,
    /// Criticality, 0 is the most critical; `None`: nobody said, or it is outside the organisation.
    pub tier: Option<u8>,
    /// Whether customers use it directly.
    pub customer_facing: Option<bool>,
    /// A shortest chain from the service (first) up to this dependent (last); of a longer one than
    /// [`MAX_PATH`] only the beginning.
    pub path: Vec<ServiceId>,
}

/// All that can be affected if a service breaks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlastRadius {
    /// The service.
    pub service: ServiceId,
    /// Its transitive dependents without itself, nearest first, then by id.
    pub dependents: Vec<Dependent>,
    /// The lowest tier number among itself and its dependents; `None` if any of them is unknown.
    /// Outside parties have no tier and don't count.
    pub most_critical_tier: Option<u8>,
    /// Whether it or a dependent faces customers; an outside party counts as one. `None`: none is
    /// known to, and for some of them nobody said.
    pub reaches_customers: Option<bool>,
    /// Whether revenue stops while it or a dependent is down; outside parties don't count. `None`: it
    /// isn't known to, and for some of them nobody said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reaches_revenue: Option<bool>,
    /// Whether it relies on itself through others.
    pub in_cycle: bool,
}

/// The graph over one catalogue: edges point from consumer to provider; cycles are allowed.
#[derive(Debug, Clone)]
pub struct ServiceGraph {
    graph: DiGraph<Node, Edge>,
    index: BTreeMap<ServiceId, NodeIndex>,
    cyclic: BTreeSet<NodeIndex>,
}

/// A node: described by a catalogue, or only named by an edge.
#[derive(Debug, Clone)]
struct Node {
    id: ServiceId,
    service: Option<Service>,
}

impl Node {
    fn kind(&self) -> NodeKind {
        self.service.as_ref().map_or(NodeKind::Service, |service| service.kind)
    }

    fn tier(&self) -> Option<u8> {
        self.service.as_ref().and_then(|service| service.tier)
    }

    fn customer_facing(&self) -> Option<bool> {
        self.service.as_ref().and_then(|service| service.customer_facing)
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
        // Kosaraju's, because petgraph's Tarjan recurses: a long chain would overflow the stack.
        let cyclic = kosaraju_scc(&graph)
            .into_iter()
            .filter(|component| match component.as_slice() {
                [one] => graph.contains_edge(*one, *one),
                _ => true,
            })
            .flatten()
            .collect();
        Self { graph, index, cyclic }
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
        let Some(&node) = self.index.get(service) else {
            return Vec::new();
        };
        let mut edges: Vec<&Edge> = self
            .graph
            .edges_directed(node, Direction::Incoming)
            .map(|edge| edge.weight())
            .collect();
        edges.sort();
        edges
    }

    /// Who can be affected if `service` breaks; `None` for an id that isn't in the graph.
    #[must_use]
    pub fn blast_radius(&self, service: &ServiceId) -> Option<BlastRadius> {
        let &start = self.index.get(service)?;
        let reached = self.dependents_of(start);
        let nodes: Vec<&Node> = std::iter::once(start)
            .chain(reached.iter().map(|reached| reached.node))
            .filter_map(|index| self.graph.node_weight(index))
            .collect();
        let mut dependents: Vec<(usize, Dependent)> = reached
            .iter()
            .filter_map(|reached| {
                let node = self.graph.node_weight(reached.node)?;
                let dependent = Dependent {
                    id: node.id.clone(),
                    name: node.service.as_ref().map_or(&node.id.0, |s| &s.name).clone(),
                    kind: node.kind(),
                    tier: node.tier(),
                    customer_facing: node.customer_facing(),
                    path: self.ids(&reached.path),
                };
                Some((reached.distance, dependent))
            })
            .collect();
        dependents.sort_by(|(a_far, a), (b_far, b)| (a_far, &a.id).cmp(&(b_far, &b.id)));
        Some(BlastRadius {
            service: service.clone(),
            dependents: dependents.into_iter().map(|(_, dependent)| dependent).collect(),
            most_critical_tier: most_critical_tier(&nodes),
            reaches_customers: reaches_customers(&nodes),
            reaches_revenue: reaches_revenue(&nodes),
            in_cycle: self.cyclic.contains(&start),
        })
    }

    /// Each transitive dependent of `start`, breadth first, so that its chain is a shortest one;
    /// consumers are taken in order of id, so that it is always the same one.
    fn dependents_of(&self, start: NodeIndex) -> Vec<Reached> {
        let mut seen = BTreeSet::from([start]);
        let mut found = Vec::new();
        let mut queue = VecDeque::from([Reached {
            node: start,
            distance: 0,
            path: vec![start],
        }]);
        while let Some(here) = queue.pop_front() {
            let mut consumers: Vec<NodeIndex> = self.graph.neighbors_directed(here.node, Direction::Incoming).collect();
            consumers.sort_by_key(|index| self.graph.node_weight(*index).map(|n| &n.id));
            for node in consumers.into_iter().filter(|node| seen.insert(*node)) {
                let path = here.path.iter().copied().chain([node]).take(MAX_PATH).collect();
                queue.push_back(Reached {
                    node,
                    distance: here.distance + 1,
                    path,
                });
            }
            if here.distance > 0 {
                found.push(here);
            }
        }
        found
    }

    fn ids(&self, path: &[NodeIndex]) -> Vec<ServiceId> {
        path.iter()
            .filter_map(|index| self.graph.node_weight(*index).map(|node| node.id.clone()))
            .collect()
    }
}

/// A node on the way up from the service that breaks.
struct Reached {
    node: NodeIndex,
    distance: usize,
    path: Vec<NodeIndex>,
}

fn most_critical_tier(nodes: &[&Node]) -> Option<u8> {
    let tiers: Option<Vec<u8>> = nodes
        .iter()
        .filter(|node| node.kind() != NodeKind::External)
        .map(|node| node.tier())
        .collect();
    tiers?.into_iter().min()
}

fn reaches_customers(nodes: &[&Node]) -> Option<bool> {
    let answers: Vec<Option<bool>> = nodes
        .iter()
        .map(|node| match node.kind() {
            NodeKind::External => Some(true),
            _ => node.customer_facing(),
        })
        .collect();
    any(&answers)
}

fn reaches_revenue(nodes: &[&Node]) -> Option<bool> {
    let answers: Vec<Option<bool>> = nodes
        .iter()
        .filter(|node| node.kind() != NodeKind::External)
        .map(|node| node.service.as_ref().and_then(|service| service.revenue_critical))
        .collect();
    any(&answers)
}

/// Yes if one of them is, no if all are known not to be.
fn any(answers: &[Option<bool>]) -> Option<bool> {
    if answers.contains(&Some(true)) {
        return Some(true);
    }
    (!answers.contains(&None)).then_some(false)
}

#[cfg(test)]
mod tests;
