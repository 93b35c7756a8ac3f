//! What one source says, before it is merged with the others.

use holdpoint_schemas::service::{
    Catalogue, Edge, EdgeBasis, EdgeKind, NodeKind, Service, ServiceId, ServiceRuntime, UpdateStrategy,
};
use std::collections::{BTreeMap, BTreeSet};

/// Most edges of one part: twenty times what the largest known estates have. Rules that pair up nodes
/// (selectors, traffic through gateways) could otherwise make more edges than the input has bytes.
const MAX_EDGES: usize = 1_000_000;
/// Longest id: a DNS name's limit (RFC 1035, section 2.3.4), with room for a namespace before it.
const MAX_ID: usize = 512;

/// Who speaks: the earlier one's names win where several speak of the same service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Authority {
    /// People who describe services: Backstage, `services.yaml`.
    Catalogue,
    /// Files that services are run from: Kubernetes, Compose.
    Manifest,
    /// Descriptions of infrastructure: Terraform.
    Infrastructure,
    /// What traffic and traces show.
    Observation,
}

/// What one source (a file, or files that belong together) says of the estate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Format, by its name in the table of formats.
    pub format: &'static str,
    /// Who speaks.
    pub authority: Authority,
    /// Services and edges. Ids are this source's own names, until parts are merged.
    pub catalogue: Catalogue,
}

/// Gathers a part.
pub struct PartBuilder {
    format: &'static str,
    authority: Authority,
    basis: EdgeBasis,
    services: BTreeMap<ServiceId, Service>,
    edges: Edges,
    dropped: usize,
}

/// Sources and basis of each edge.
pub type Edges = BTreeMap<(ServiceId, ServiceId, EdgeKind), (BTreeSet<String>, EdgeBasis)>;

impl PartBuilder {
    pub fn new(format: &'static str, authority: Authority) -> Self {
        let basis = match authority {
            Authority::Observation => EdgeBasis::Observed,
            _ => EdgeBasis::Declared,
        };
        Self {
            format,
            authority,
            basis,
            services: BTreeMap::new(),
            edges: BTreeMap::new(),
            dropped: 0,
        }
    }

    /// The node of this id, made if it isn't there; `source` is added to its sources.
    pub fn node(&mut self, id: &ServiceId, source: &str) -> &mut Service {
        let service = self
            .services
            .entry(id.clone())
            .or_insert_with(|| blank(id.clone(), source));
        if !service.source.split(", ").any(|known| known == source) {
            service.source = format!("{}, {source}", service.source);
        }
        service
    }

    /// Whether there is such a node.
    pub fn has(&self, id: &ServiceId) -> bool {
        self.services.contains_key(id)
    }

    /// Whether edges were dropped.
    pub fn is_full(&self) -> bool {
        self.dropped > 0
    }

    /// Adds an edge; one from a node to itself says nothing and is left out.
    pub fn edge(&mut self, from: &ServiceId, to: &ServiceId, kind: EdgeKind, source: &str) {
        if from == to {
            return;
        }
        if self.edges.len() >= MAX_EDGES {
            self.dropped += 1;
            return;
        }
        let (sources, basis) = self.edges.entry((from.clone(), to.clone(), kind)).or_default();
        sources.insert(source.to_owned());
        *basis = self.basis;
    }

    /// The part, and a line on what was left out.
    pub fn finish(self) -> (Part, Option<String>) {
        let skipped = (self.dropped > 0)
            .then(|| format!("{} edges beyond the first {MAX_EDGES} of {}", self.dropped, self.format));
        let part = Part {
            format: self.format,
            authority: self.authority,
            catalogue: Catalogue {
                services: self.services.into_values().collect(),
                edges: edges(self.edges),
                conflicts: Vec::new(),
            },
        };
        (part, skipped)
    }
}

/// Edges as a list. One of no known kind joins those between the same two that have one.
pub fn edges(mut edges: Edges) -> Vec<Edge> {
    let vague: Vec<_> = edges
        .keys()
        .filter(|(_, _, kind)| *kind == EdgeKind::Unspecified)
        .cloned()
        .collect();
    for key in vague {
        let (from, to, kind) = &key;
        let first = (from.clone(), to.clone(), EdgeKind::Http);
        let same = edges
            .range(first..)
            .take_while(|((f, t, _), _)| f == from && t == to)
            .any(|((_, _, other), _)| other != kind);
        if !same {
            continue;
        }
        let Some((sources, basis)) = edges.remove(&key) else {
            continue;
        };
        let first = (from.clone(), to.clone(), EdgeKind::Http);
        for ((f, t, _), value) in edges.range_mut(first..) {
            if f != from || t != to {
                break;
            }
            value.0.extend(sources.iter().cloned());
            value.1 = both(value.1, basis);
        }
    }
    let list = edges.into_iter().map(|((from, to, kind), (sources, basis))| Edge {
        from,
        to,
        kind,
        sources: sources.into_iter().collect(),
        basis,
    });
    list.collect()
}

/// What two bases make together.
pub fn both(one: EdgeBasis, other: EdgeBasis) -> EdgeBasis {
    if one == other { one } else { EdgeBasis::Both }
}

/// A node of which nothing is known but its name.
pub fn blank(id: ServiceId, source: &str) -> Service {
    Service {
        name: id.0.clone(),
        id,
        kind: NodeKind::Service,
        system: None,
        owner: None,
        tier: None,
        customer_facing: None,
        revenue_critical: None,
        data_classes: None,
        compliance_scopes: None,
        repo: None,
        path: String::new(),
        deployments: None,
        iac_addresses: Vec::new(),
        source: source.to_owned(),
        runtime: ServiceRuntime::default(),
    }
}

/// The id for a name: lower case. `None` for what can't be a name.
pub fn id(name: &str) -> Option<ServiceId> {
    let name = name.trim();
    let fine = !name.is_empty() && name.len() <= MAX_ID && !name.chars().any(char::is_control);
    fine.then(|| ServiceId(name.to_lowercase()))
}

/// Of two statements on the number of instances the worse: fewer.
pub fn fewer(one: Option<u32>, other: Option<u32>) -> Option<u32> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

/// Of two statements on how instances are replaced the worse: all at once.
pub fn rougher(one: Option<UpdateStrategy>, other: Option<UpdateStrategy>) -> Option<UpdateStrategy> {
    match (one, other) {
        // `Recreate` is the first of the two.
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

/// Adds a word to a sorted list without repeating it.
pub fn add(list: &mut Vec<String>, word: &str) {
    if let Err(place) = list.binary_search_by(|known| known.as_str().cmp(word)) {
        list.insert(place, word.to_owned());
    }
}
