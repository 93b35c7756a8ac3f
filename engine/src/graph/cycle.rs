//! Who relies on itself through others.

use holdpoint_schemas::service::{Edge, ServiceId};
use petgraph::algo::kosaraju_scc;
use petgraph::graph::{DiGraph, NodeIndex};

use super::{Node, ServiceGraph};

/// The groups of nodes each of which relies on every other: strongly connected components, and nodes
/// with an edge to themselves. Kosaraju's algorithm, because petgraph's Tarjan recurses: a long chain
/// would overflow the stack.
pub(super) fn components(graph: &DiGraph<Node, Edge>) -> Vec<Vec<NodeIndex>> {
    let cyclic = |component: &Vec<NodeIndex>| match component.as_slice() {
        [one] => graph.contains_edge(*one, *one),
        _ => true,
    };
    kosaraju_scc(graph).into_iter().filter(cyclic).collect()
}

impl ServiceGraph {
    /// The cycles: groups in which each relies on every other, directly or through the group, in order
    /// of id; a group of one relies on itself directly. No service is in two groups.
    #[must_use]
    pub fn cycles(&self) -> Vec<Vec<ServiceId>> {
        let mut groups: Vec<Vec<ServiceId>> = self
            .cycles
            .iter()
            .map(|group| {
                let mut ids = self.ids(group.iter().copied());
                ids.sort();
                ids
            })
            .collect();
        groups.sort();
        groups
    }
}
