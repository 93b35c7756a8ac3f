//! Compliance scope along the graph.

use std::collections::{BTreeMap, BTreeSet};

use holdpoint_schemas::service::{NodeKind, ServiceId};
use petgraph::graph::NodeIndex;
use serde::{Deserialize, Serialize};

use super::{Node, ServiceGraph};

/// Data that brings a system into a standard's scope whatever its catalogue says (PCI DSS v4.0, section 4: what
/// stores, processes or transmits cardholder data).
const SCOPE_OF_DATA: [(&str, &str); 1] = [("cardholder", "pci-dss")];

/// Standards whose scope a service is in or is connected to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComplianceScopes {
    /// Each standard, with those who bring it in: the service itself, or neighbours. By id.
    pub known: BTreeMap<String, BTreeSet<ServiceId>>,
    /// Itself and neighbours, as far as nobody says in whose scope they are.
    pub unknown: BTreeSet<ServiceId>,
}

impl ComplianceScopes {
    /// Whether it is in this standard's scope: one who is known to bring it in settles it, whatever is
    /// unknown of others.
    #[must_use]
    pub fn contains(&self, standard: &str) -> Option<bool> {
        if self.known.contains_key(standard) {
            Some(true)
        } else {
            self.unknown.is_empty().then_some(false)
        }
    }

    /// All standards; `None` while there may be more than those that are known.
    #[must_use]
    pub fn all(&self) -> Option<BTreeSet<String>> {
        self.unknown.is_empty().then(|| self.known.keys().cloned().collect())
    }
}

impl ServiceGraph {
    /// Standards whose scope `service` is in or is connected to; `None` for an id that isn't in the
    /// graph.
    ///
    /// One step along the edges, in either direction and of any kind, as PCI DSS scopes (v4.0, section 4): what
    /// handles the data, and what connects to that. What connects to the connected is out of it unless
    /// its own catalogue says otherwise; else everything would be in scope of everything. A party outside
    /// the organisation answers to its own assessment (requirement 12.8): it counts only where the catalogue says
    /// something about it.
    #[must_use]
    pub fn compliance_scopes(&self, service: &ServiceId) -> Option<ComplianceScopes> {
        let &start = self.index.get(service)?;
        let around: BTreeSet<NodeIndex> = self.graph.neighbors_undirected(start).chain([start]).collect();
        let mut scopes = ComplianceScopes::default();
        for node in around.into_iter().filter_map(|index| self.graph.node_weight(index)) {
            for standard in own(node) {
                scopes.known.entry(standard).or_default().insert(node.id.clone());
            }
            let stated = node.service.as_ref().is_some_and(|s| s.compliance_scopes.is_some());
            if !stated && node.kind() != NodeKind::External {
                scopes.unknown.insert(node.id.clone());
            }
        }
        Some(scopes)
    }
}

/// What a node is known to be in scope of by itself.
fn own(node: &Node) -> BTreeSet<String> {
    let Some(service) = &node.service else {
        return BTreeSet::new();
    };
    let handles = |data: &str| {
        service
            .data_classes
            .as_ref()
            .is_some_and(|classes| classes.contains(data))
    };
    let from_data = SCOPE_OF_DATA
        .iter()
        .filter(|(data, _)| handles(data))
        .map(|(_, standard)| (*standard).to_owned());
    service
        .compliance_scopes
        .iter()
        .flatten()
        .cloned()
        .chain(from_data)
        .collect()
}
