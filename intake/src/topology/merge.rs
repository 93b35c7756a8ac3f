//! One catalogue of many parts.
//!
//! Nodes of several parts are one service where they have the same id, the same address, the same IaC address, or
//! the same image that no third one runs. The result doesn't depend on the order of the parts.

mod fields;
mod identity;

use holdpoint_schemas::service::{Catalogue, ServiceId};
use std::collections::BTreeMap;

use super::part::{Edges, Part, both, edges};
use fields::Statements;
use identity::Identities;

/// Merges parts. Where sources say different things, the worse value is taken and the difference is in
/// `conflicts`; where none is worse, nothing is taken. What one source doesn't say never hides what another says.
#[must_use]
pub fn merge(parts: Vec<Part>) -> Catalogue {
    let mut parts = parts;
    // In an order of their own, so that the order they come in says nothing.
    parts.sort_by_cached_key(|part| {
        let sources: Vec<&str> = part
            .catalogue
            .services
            .iter()
            .map(|service| service.source.as_str())
            .collect();
        (
            part.authority,
            part.format,
            sources.join("\n"),
            format!("{:?}", part.catalogue.edges),
        )
    });
    let identities = Identities::of(&parts);
    let mut services: BTreeMap<ServiceId, Statements> = BTreeMap::new();
    let mut all: Edges = Edges::new();
    let mut conflicts = Vec::new();
    for (index, part) in parts.into_iter().enumerate() {
        let catalogue = part.catalogue;
        for edge in catalogue.edges {
            let from = identities.of_edge_end(index, &edge.from);
            let to = identities.of_edge_end(index, &edge.to);
            if from == to {
                continue;
            }
            let new = edge.basis;
            all.entry((from, to, edge.kind))
                .and_modify(|(_, basis)| *basis = both(*basis, new))
                .or_insert_with(|| (Default::default(), new))
                .0
                .extend(edge.sources);
        }
        for service in catalogue.services {
            let id = identities.of_edge_end(index, &service.id);
            services.entry(id).or_default().add(part.authority, service);
        }
        conflicts.extend(catalogue.conflicts);
    }
    let services = services
        .into_iter()
        .map(|(id, statements)| statements.settle(id, &mut conflicts))
        .collect();
    conflicts.sort();
    conflicts.dedup();
    Catalogue {
        services,
        edges: edges(all),
        conflicts,
    }
}

#[cfg(test)]
mod tests;
