//! Who is cut off from what without a service.
//!
//! A dependency graph doesn't say which of two providers could stand in for the other, so redundancy
//! can only be meant in the sense of reaching. Articulation points of the undirected graph would call
//! a library that two unrelated services share a bridge between them, although nothing flows from one
//! to the other. So dominators it is, as for a network's edge: work enters the estate somewhere, and a
//! service that stands on *every* way from there to a provider is the only way to that provider.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use holdpoint_schemas::service::{NodeKind, ServiceId};
use petgraph::Direction;
use petgraph::algo::dominators::simple_fast;
use petgraph::algo::kosaraju_scc;
use petgraph::graph::{DiGraph, NodeIndex};
use serde::{Deserialize, Serialize};

use super::{Node, ServiceGraph};

/// What a service is the only way to, and for whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SinglePoint {
    /// The service.
    pub service: ServiceId,
    /// Whether it is a single point of failure; see [`ServiceGraph::single_point_of_failure`].
    pub single: Option<bool>,
    /// What can't be reached without it, by id. Not empty unless `single` is `Some(false)`.
    pub providers: Vec<ServiceId>,
    /// Those who rely on it and are then cut off from `providers`, by id. May be empty where users from
    /// outside are.
    pub consumers: Vec<ServiceId>,
}

/// All single points of failure.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SinglePoints {
    /// Those that are, by id.
    pub known: Vec<ServiceId>,
    /// Those that are if users from outside come in through them, which nobody says. By id.
    pub unknown: Vec<ServiceId>,
}

/// Which nodes stand on all ways to which, seen from where work enters: a tree.
#[derive(Debug, Clone)]
pub(super) struct Dominators {
    /// By node, when a walk through the tree comes to it, and when it has seen all below it.
    visits: Vec<Range<usize>>,
}

impl Dominators {
    fn of(services: &ServiceGraph) -> Self {
        let graph = &services.graph;
        let mut rooted: DiGraph<(), ()> = graph.map(|_, _| (), |_, _| ());
        let root = rooted.add_node(());
        for entry in entries(graph) {
            rooted.add_edge(root, entry, ());
        }
        let dominators = simple_fast(&rooted, root);
        let mut below: BTreeMap<NodeIndex, Vec<NodeIndex>> = BTreeMap::new();
        for node in graph.node_indices() {
            if let Some(over) = dominators.immediate_dominator(node) {
                below.entry(over).or_default().push(node);
            }
        }
        let mut visits = vec![0..0; rooted.node_count()];
        let (mut clock, mut open) = (0, vec![(root, false)]);
        while let Some((node, seen)) = open.pop() {
            let Some(visit) = visits.get_mut(node.index()) else {
                continue;
            };
            if seen {
                visit.end = clock;
            } else {
                *visit = clock..clock;
                clock += 1;
                open.push((node, true));
                open.extend(below.get(&node).into_iter().flatten().map(|node| (*node, false)));
            }
        }
        Self { visits }
    }

    /// When the walk is below a node: at all that it dominates, without itself.
    fn below(&self, node: NodeIndex) -> Range<usize> {
        let visit = self.visits.get(node.index()).cloned().unwrap_or_default();
        visit.start + 1..visit.end
    }

    /// Whether the walk comes to `node` while it is below another, given by [`Self::below`].
    fn is_below(&self, node: NodeIndex, other: &Range<usize>) -> bool {
        self.visits
            .get(node.index())
            .is_some_and(|visit| other.contains(&visit.start))
    }
}

/// Where work enters: services known to take requests from the internet, and those on which nobody
/// relies, which must be there for a reason. Of a cycle on which nobody else relies, any may be that.
/// A way in that nobody confirms is no second way in.
fn entries<E>(graph: &DiGraph<Node, E>) -> BTreeSet<NodeIndex> {
    let facing = graph.node_indices().filter(|node| {
        graph
            .node_weight(*node)
            .is_some_and(|n| n.internet_facing() == Some(true))
    });
    let sources = kosaraju_scc(graph).into_iter().filter(|group| {
        let group: BTreeSet<NodeIndex> = group.iter().copied().collect();
        let mut consumers = group
            .iter()
            .flat_map(|node| graph.neighbors_directed(*node, Direction::Incoming));
        consumers.all(|consumer| group.contains(&consumer))
    });
    facing.chain(sources.flatten()).collect()
}

/// Whether users from outside the estate come in through a node. A party outside is one of them.
fn lets_users_in(node: &Node) -> Option<bool> {
    if node.kind() == NodeKind::External {
        return Some(false);
    }
    match (node.internet_facing(), node.customer_facing()) {
        (Some(true), _) | (_, Some(true)) => Some(true),
        (Some(false), Some(false)) => Some(false),
        _ => None,
    }
}

impl ServiceGraph {
    /// Whether others lose their only way to a provider without `service`; `None` for an id that isn't
    /// in the graph.
    ///
    /// It is a single point of failure if there is a provider that can be reached from where work enters
    /// (a service that takes requests from the internet, or on which nobody relies) *only* through it,
    /// and somebody other than itself is cut off by that: a service that relies on it, or users who come
    /// in through it from outside. Unknown if nobody but such users would be, and nobody says whether
    /// there are any. How many instances of it run doesn't matter: they fail together with its code.
    #[must_use]
    pub fn single_point_of_failure(&self, service: &ServiceId) -> Option<SinglePoint> {
        let &node = self.index.get(service)?;
        let dominators = self.dominators();
        let below = dominators.below(node);
        let (mut providers, mut consumers) = (Vec::new(), Vec::new());
        if !below.is_empty() {
            providers.extend(
                self.graph
                    .node_indices()
                    .filter(|node| dominators.is_below(*node, &below)),
            );
            consumers.extend(
                self.dependents(node)
                    .into_iter()
                    .filter(|node| !dominators.is_below(*node, &below)),
            );
        }
        let single = self.single(node, !providers.is_empty(), !consumers.is_empty());
        let sorted = |nodes: Vec<NodeIndex>| {
            let mut ids = self.ids(nodes);
            ids.sort();
            ids
        };
        Some(SinglePoint {
            service: service.clone(),
            single,
            providers: sorted(providers),
            consumers: sorted(consumers),
        })
    }

    /// All single points of failure of the estate, as [`Self::single_point_of_failure`] finds them.
    #[must_use]
    pub fn single_points_of_failure(&self) -> SinglePoints {
        let mut points = SinglePoints::default();
        for (id, &node) in &self.index {
            let below = self.dominators().below(node);
            // Looking at the nearest consumers is enough: who relies on it without being below it comes in
            // through one of those.
            let mut consumers = self.graph.neighbors_directed(node, Direction::Incoming);
            let consumed = consumers.any(|consumer| consumer != node && !self.dominators().is_below(consumer, &below));
            match self.single(node, !below.is_empty(), consumed) {
                Some(true) => points.known.push(id.clone()),
                Some(false) => {}
                None => points.unknown.push(id.clone()),
            }
        }
        points
    }

    fn single(&self, node: NodeIndex, cuts_off: bool, consumers: bool) -> Option<bool> {
        match (cuts_off, consumers) {
            (false, _) => Some(false),
            (true, true) => Some(true),
            (true, false) => self.graph.node_weight(node).and_then(lets_users_in),
        }
    }

    fn dominators(&self) -> &Dominators {
        self.dominators.get_or_init(|| Dominators::of(self))
    }

    /// Transitive dependents without `start`.
    fn dependents(&self, start: NodeIndex) -> Vec<NodeIndex> {
        let mut seen = BTreeSet::from([start]);
        let mut open = vec![start];
        let mut found = Vec::new();
        while let Some(here) = open.pop() {
            for node in self.graph.neighbors_directed(here, Direction::Incoming) {
                if seen.insert(node) {
                    found.push(node);
                    open.push(node);
                }
            }
        }
        found
    }
}
