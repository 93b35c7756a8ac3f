//! Which nodes of which parts are the same service.

use holdpoint_schemas::service::ServiceId;
use std::collections::{BTreeMap, BTreeSet};

use super::super::image;
use super::super::part::{Authority, Part};

/// What two nodes may have in common.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    /// An id, or an address under which it is called.
    Name(String),
    /// An IaC address that it owns.
    Iac(String),
    /// An image that it runs.
    Image(String),
}

/// The id in the merged catalogue of each node of each part.
pub struct Identities {
    nodes: BTreeMap<(usize, ServiceId), ServiceId>,
    /// Ids of nodes by name, for edges to what another part describes.
    names: BTreeMap<String, ServiceId>,
}

impl Identities {
    pub fn of(parts: &[Part]) -> Self {
        let mut nodes = Vec::new();
        let mut holders: BTreeMap<Key, Vec<usize>> = BTreeMap::new();
        for (index, part) in parts.iter().enumerate() {
            for service in &part.catalogue.services {
                let mut keys = BTreeSet::from([Key::Name(service.id.0.clone())]);
                keys.extend(service.runtime.addresses.iter().cloned().map(Key::Name));
                keys.extend(service.iac_addresses.iter().cloned().map(Key::Iac));
                keys.extend(service.runtime.images.iter().cloned().map(Key::Image));
                for key in keys {
                    holders.entry(key).or_default().push(nodes.len());
                }
                nodes.push((index, part.authority, &service.id));
            }
        }
        let mut groups = Groups::new(nodes.len());
        for (key, holders) in &holders {
            let same: Vec<usize> = match key {
                // The id itself is the strongest; an address that several nodes of one part have is nobody's name.
                Key::Name(name) => {
                    let (own, others): (Vec<usize>, Vec<usize>) = holders
                        .iter()
                        .partition(|at| nodes.get(**at).is_some_and(|(_, _, id)| id.0 == *name));
                    if own.is_empty() && !one_per_part(&others, &nodes) {
                        continue;
                    }
                    let taken: BTreeSet<usize> = own.iter().filter_map(|at| Some(nodes.get(*at)?.0)).collect();
                    let free = others
                        .into_iter()
                        .filter(|at| nodes.get(*at).is_some_and(|(part, ..)| !taken.contains(part)));
                    let free: Vec<usize> = free.collect();
                    let free = if one_per_part(&free, &nodes) { free } else { Vec::new() };
                    own.into_iter().chain(free).collect()
                }
                Key::Iac(_) if one_per_part(holders, &nodes) => holders.clone(),
                Key::Image(name) if image::technology(Some(name), "").is_none() && one_per_part(holders, &nodes) => {
                    holders.clone()
                }
                _ => continue,
            };
            for pair in same.windows(2) {
                if let [one, other] = pair {
                    groups.join(*one, *other);
                }
            }
        }
        Self::name(&nodes, &holders, &mut groups)
    }

    /// Each group is called what its highest authority calls it.
    fn name(
        nodes: &[(usize, Authority, &ServiceId)],
        holders: &BTreeMap<Key, Vec<usize>>,
        groups: &mut Groups,
    ) -> Self {
        let mut best: BTreeMap<usize, (Authority, &ServiceId)> = BTreeMap::new();
        for (at, (_, authority, id)) in nodes.iter().enumerate() {
            let claim = (*authority, *id);
            let known = best.entry(groups.root(at)).or_insert(claim);
            *known = (*known).min(claim);
        }
        let mut chosen = |at: usize| best.get(&groups.root(at)).map(|(_, id)| (*id).clone());
        let mut names = BTreeMap::new();
        for (key, holders) in holders {
            let Key::Name(name) = key else { continue };
            let ids: BTreeSet<ServiceId> = holders.iter().filter_map(|at| chosen(*at)).collect();
            let own = holders
                .iter()
                .filter(|at| nodes.get(**at).is_some_and(|(_, _, id)| id.0 == *name))
                .find_map(|at| chosen(*at));
            let only = if ids.len() == 1 { ids.into_iter().next() } else { None };
            if let Some(id) = own.or(only) {
                names.insert(name.clone(), id);
            }
        }
        let mut all = BTreeMap::new();
        for (at, (part, _, id)) in nodes.iter().enumerate() {
            if let Some(name) = chosen(at) {
                all.insert((*part, (*id).clone()), name);
            }
        }
        Self { nodes: all, names }
    }

    /// The merged id of what a part calls `id`: its own node, or one that another part describes.
    pub fn of_edge_end(&self, part: usize, id: &ServiceId) -> ServiceId {
        let own = self.nodes.get(&(part, id.clone()));
        own.or_else(|| self.names.get(&id.0)).unwrap_or(id).clone()
    }
}

fn one_per_part(holders: &[usize], nodes: &[(usize, Authority, &ServiceId)]) -> bool {
    let parts: BTreeSet<usize> = holders.iter().filter_map(|at| Some(nodes.get(*at)?.0)).collect();
    parts.len() == holders.len()
}

/// Disjoint sets.
struct Groups {
    parent: Vec<usize>,
}

impl Groups {
    fn new(count: usize) -> Self {
        Self {
            parent: (0..count).collect(),
        }
    }

    fn root(&mut self, mut at: usize) -> usize {
        while let Some(up) = self.parent.get(at).copied().filter(|up| *up != at) {
            let above = self.parent.get(up).copied().unwrap_or(up);
            if let Some(slot) = self.parent.get_mut(at) {
                *slot = above;
            }
            at = above;
        }
        at
    }

    fn join(&mut self, one: usize, other: usize) {
        let (one, other) = (self.root(one), self.root(other));
        if let Some(slot) = self.parent.get_mut(one.max(other)) {
            *slot = one.min(other);
        }
    }
}
