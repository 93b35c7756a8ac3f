//! Who can be affected when a service breaks.

use std::collections::{BTreeSet, VecDeque};

use holdpoint_schemas::service::{NodeKind, ServiceId};
use petgraph::Direction;
use petgraph::graph::NodeIndex;
use serde::{Deserialize, Serialize};

use super::worst::Worst;
use super::{MAX_PATH, ServiceGraph};

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
    /// The lowest tier number among itself and its dependents; `None` if that of a service among them
    /// is unknown, unless another is 0: nothing is more critical. Outside parties have no tier and
    /// don't count; a resource is as critical as those who rely on it, so that one without a tier
    /// doesn't count either. `None` too if nothing is left that counts.
    pub most_critical_tier: Option<u8>,
    /// Whether it or a dependent faces customers; an outside party counts as one. `None`: none is
    /// known to, and for some of them nobody said.
    pub reaches_customers: Option<bool>,
    /// Whether revenue stops while it or a dependent is down; outside parties don't count, nor do
    /// resources of which nobody said. `None`: it isn't known to, and for some of them nobody said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reaches_revenue: Option<bool>,
    /// Whether it relies on itself through others.
    pub in_cycle: bool,
}

impl ServiceGraph {
    /// Who can be affected if `service` breaks; `None` for an id that isn't in the graph.
    #[must_use]
    pub fn blast_radius(&self, service: &ServiceId) -> Option<BlastRadius> {
        let &start = self.index.get(service)?;
        let reached = self.dependents_of(start);
        let mut worst = Worst::of(self.graph.node_weight(start)?);
        let mut dependents = Vec::with_capacity(reached.len());
        for reached in reached {
            let Some(node) = self.graph.node_weight(reached.node) else {
                continue;
            };
            worst.join(Worst::of(node));
            let dependent = Dependent {
                id: node.id.clone(),
                name: node.service.as_ref().map_or(&node.id.0, |s| &s.name).clone(),
                kind: node.kind(),
                tier: node.tier(),
                customer_facing: node.customer_facing(),
                path: self.ids(reached.path),
            };
            dependents.push((reached.distance, dependent));
        }
        dependents.sort_by(|(a_far, a), (b_far, b)| (a_far, &a.id).cmp(&(b_far, &b.id)));
        Some(BlastRadius {
            service: service.clone(),
            dependents: dependents.into_iter().map(|(_, dependent)| dependent).collect(),
            most_critical_tier: worst.most_critical_tier(),
            reaches_customers: worst.reaches_customers(),
            reaches_revenue: worst.reaches_revenue(),
            in_cycle: self.cyclic.contains(&start),
        })
    }

    /// Each transitive dependent of `start`, breadth first, so that its chain is a shortest one;
    /// consumers are taken in order of id, so that it is always the same one.
    pub(super) fn dependents_of(&self, start: NodeIndex) -> Vec<Reached> {
        let mut seen = BTreeSet::from([start]);
        let mut found = Vec::new();
        let mut queue = VecDeque::from([Reached {
            node: start,
            distance: 0,
            path: vec![start],
        }]);
        while let Some(here) = queue.pop_front() {
            let consumers = self.next(here.node, Direction::Incoming);
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
}

/// A node on the way up from the service that breaks.
pub(super) struct Reached {
    pub(super) node: NodeIndex,
    distance: usize,
    path: Vec<NodeIndex>,
}
