//! The tier-0 services around a service: those that a change of it puts at risk, or that share its risk.

use std::collections::BTreeSet;

use holdpoint_schemas::service::{NodeKind, ServiceId};
use petgraph::Direction;

use super::{Node, ServiceGraph};

impl ServiceGraph {
    /// The tier-0 services around some services: themselves, all that can be affected if they break, and those that they
    /// rely on directly. A service whose tier nobody said counts as one. `None` if one of them isn't in the graph.
    #[must_use]
    pub fn tier_zero_around<'a>(
        &self,
        services: impl IntoIterator<Item = &'a ServiceId>,
    ) -> Option<BTreeSet<ServiceId>> {
        let mut around = BTreeSet::new();
        for service in services {
            let &start = self.index.get(service)?;
            let affected = self.dependents_of(start).into_iter().map(|reached| reached.node);
            let providers = self.next(start, Direction::Outgoing);
            let nodes = [start].into_iter().chain(affected).chain(providers);
            let critical = nodes.filter_map(|node| self.graph.node_weight(node).filter(|node| is_tier_zero(node)));
            around.extend(critical.map(|node| node.id.clone()));
        }
        Some(around)
    }
}

fn is_tier_zero(node: &Node) -> bool {
    match (node.kind(), node.tier()) {
        (_, Some(tier)) => tier == 0,
        (NodeKind::Service, None) => true,
        // A resource is as critical as those who rely on it, and an outside party has no tier.
        (NodeKind::Resource | NodeKind::External, None) => false,
    }
}
