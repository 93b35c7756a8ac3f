//! Graphs of Kiali (`/api/namespaces/graph`): `elements.nodes` and `elements.edges`, for Istio's telemetry.
//!
//! All versions of an app are one service. Nodes that only stand between apps (a service that traffic goes through,
//! an aggregate of operations) are left out, so that edges go from app to app. The source named `unknown` is whoever
//! is outside the mesh; the destination `unknown` says nothing.

use holdpoint_schemas::service::{EdgeKind, NodeKind, ServiceId};
use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

use super::Topology;
use super::document::Document;
use super::part::{Authority, PartBuilder, add, id};
use crate::json::or_default;

pub const ID: &str = "kiali";
/// Most nodes that are looked at behind one edge: real graphs have one or two between apps, and a made-up one could
/// have as many as it has edges.
const MAX_BETWEEN: usize = 1_000;
/// Names of what isn't known, or passes through the mesh unseen.
const NOBODY: [&str; 3] = ["unknown", "passthroughcluster", "blackholecluster"];

#[derive(Deserialize)]
struct Graph {
    elements: Elements,
}

#[derive(Deserialize)]
struct Elements {
    #[serde(default, deserialize_with = "or_default")]
    nodes: Vec<Element<Node>>,
    #[serde(default, deserialize_with = "or_default")]
    edges: Vec<Element<Line>>,
}

#[derive(Deserialize)]
struct Element<T> {
    data: T,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Node {
    id: String,
    #[serde(default)]
    node_type: String,
    namespace: Option<String>,
    app: Option<String>,
    workload: Option<String>,
    service: Option<String>,
    version: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    dest_services: Vec<Destination>,
    /// Present on boxes around nodes; older versions say `isGroup`.
    is_box: Option<Value>,
    is_group: Option<Value>,
    is_gateway: Option<Value>,
    is_service_entry: Option<Value>,
}

#[derive(Deserialize)]
struct Destination {
    namespace: Option<String>,
    name: String,
}

#[derive(Deserialize)]
struct Line {
    source: String,
    target: String,
    /// Its `protocol` is what counts; versions differ in the rest.
    traffic: Option<Value>,
}

impl Node {
    fn is_box(&self) -> bool {
        self.is_box.is_some() || self.is_group.is_some() || self.node_type == "box"
    }

    /// Traffic goes through it, on to a node of the other kinds.
    fn is_between(&self) -> bool {
        matches!(self.node_type.as_str(), "service" | "aggregate")
    }

    /// The name that a reader would use; `None` for what nobody knows.
    fn name(&self) -> Option<ServiceId> {
        let known = |name: &&str| !NOBODY.contains(&name.to_lowercase().as_str());
        let app = self.app.as_deref().filter(known);
        let service = self.service.as_deref().filter(known);
        let workload = self.workload.as_deref().filter(known).map(|workload| {
            let version = self.version.as_deref().map(|version| format!("-{version}"));
            version
                .and_then(|version| workload.strip_suffix(&version))
                .unwrap_or(workload)
        });
        let name = match self.node_type.as_str() {
            "service" => service.map(|service| match service.split_once('.') {
                // Some versions give the whole name in the cluster's DNS.
                Some((name, _)) if service.ends_with(".svc.cluster.local") => name,
                _ => service,
            }),
            "unknown" => None,
            _ => app.or(workload).or(service),
        };
        id(name?)
    }

    fn is_gateway(&self) -> bool {
        let named = |name: &Option<String>| name.as_deref().is_some_and(|name| name.contains("ingressgateway"));
        self.is_gateway
            .as_ref()
            .is_some_and(|gateway| gateway.get("egressInfo").is_none())
            || named(&self.app)
            || named(&self.workload)
    }
}

pub fn detect(document: &Document<'_>) -> bool {
    document
        .outline()
        .is_some_and(|outline| outline.has_inner("elements", "nodes") || outline.has_inner("elements", "edges"))
}

pub fn read(documents: &[&Document<'_>], topology: &mut Topology) {
    for document in documents {
        match document.json::<Graph>("a graph of Kiali") {
            Ok(graph) => {
                let mut part = PartBuilder::new(ID, Authority::Observation);
                Reader::new(document.name, &graph.elements, &mut topology.skipped).read(&mut part);
                topology.add(part);
            }
            Err(error) => topology.unreadable.push(*error),
        }
    }
}

struct Reader<'a> {
    file: &'a str,
    nodes: BTreeMap<&'a str, &'a Node>,
    /// Edges by their source.
    lines: BTreeMap<&'a str, Vec<&'a Line>>,
    /// Service → app that is behind it.
    behind: BTreeMap<(&'a str, &'a str), BTreeSet<ServiceId>>,
}

impl<'a> Reader<'a> {
    fn new(file: &'a str, elements: &'a Elements, skipped: &mut Vec<String>) -> Self {
        let nodes: BTreeMap<&str, &Node> = elements
            .nodes
            .iter()
            .map(|node| (node.data.id.as_str(), &node.data))
            .filter(|(_, node)| !node.is_box())
            .collect();
        let mut lines: BTreeMap<&str, Vec<&Line>> = BTreeMap::new();
        let mut loose = 0usize;
        for line in &elements.edges {
            let line = &line.data;
            if nodes.contains_key(line.source.as_str()) && nodes.contains_key(line.target.as_str()) {
                lines.entry(&line.source).or_default().push(line);
            } else {
                loose += 1;
            }
        }
        if loose > 0 {
            skipped.push(format!("{file}: {loose} edges between nodes that aren't in the graph"));
        }
        let mut behind: BTreeMap<(&str, &str), BTreeSet<ServiceId>> = BTreeMap::new();
        for node in nodes.values().filter(|node| !node.is_between()) {
            let Some(name) = node.name() else { continue };
            for service in &node.dest_services {
                let key = (service.namespace.as_deref().unwrap_or_default(), service.name.as_str());
                behind.entry(key).or_default().insert(name.clone());
            }
        }
        Self {
            file,
            nodes,
            lines,
            behind,
        }
    }

    fn read(&self, part: &mut PartBuilder) {
        for node in self.nodes.values() {
            for name in self.names(node) {
                let service = part.node(&name, self.file);
                for known in &node.dest_services {
                    add(&mut service.runtime.addresses, &known.name.to_lowercase());
                }
                if node.is_service_entry.is_some() {
                    service.kind = NodeKind::External;
                }
                if node.is_gateway() {
                    service.runtime.internet_facing = Some(true);
                }
            }
        }
        for (source, lines) in &self.lines {
            let Some(from) = self.nodes.get(source) else { continue };
            for line in lines {
                let protocol = line
                    .traffic
                    .as_ref()
                    .and_then(|traffic| traffic.get("protocol")?.as_str());
                let targets = self.targets(&line.target);
                if from.is_between() && self.passes(from) {
                    // Drawn from whoever calls it, below; only calls between services themselves are its own.
                    continue;
                }
                if part.is_full() {
                    return;
                }
                for to in targets {
                    // A caller without telemetry: a probe, a pod outside the mesh, or the internet. Nobody knows.
                    if from.node_type == "unknown" {
                        part.node(&to, self.file);
                        continue;
                    }
                    for from in self.names(from) {
                        part.edge(&from, &to, kind_of(protocol), self.file);
                    }
                }
            }
        }
    }

    /// The services that a node is: of a service node those that are behind it.
    fn names(&self, node: &Node) -> Vec<ServiceId> {
        if node.is_between() {
            if node.node_type == "aggregate" || self.passes(node) {
                return Vec::new();
            }
            let key = (
                node.namespace.as_deref().unwrap_or_default(),
                node.service.as_deref().unwrap_or_default(),
            );
            if let Some(apps) = self.behind.get(&key) {
                return apps.iter().cloned().collect();
            }
        }
        node.name().into_iter().collect()
    }

    /// Whether traffic goes on from a node between apps to an app.
    fn passes(&self, node: &Node) -> bool {
        node.node_type == "aggregate"
            || self
                .next(node)
                .any(|next| !next.is_between() || next.node_type == "aggregate")
    }

    fn next(&self, node: &Node) -> impl Iterator<Item = &&'a Node> {
        let lines = self.lines.get(node.id.as_str()).into_iter().flatten();
        lines.filter_map(|line| self.nodes.get(line.target.as_str()))
    }

    /// Services that traffic to a node reaches, through what is only between.
    fn targets(&self, target: &str) -> BTreeSet<ServiceId> {
        let mut found = BTreeSet::new();
        let mut seen = BTreeSet::new();
        let mut open: Vec<&Node> = self.nodes.get(target).copied().into_iter().collect();
        while let Some(node) = open.pop() {
            if seen.len() > MAX_BETWEEN {
                break;
            }
            if !seen.insert(node.id.as_str()) {
                continue;
            }
            if node.is_between() && self.passes(node) {
                open.extend(self.next(node).copied());
            } else {
                found.extend(self.names(node));
            }
        }
        found
    }
}

fn kind_of(protocol: Option<&str>) -> EdgeKind {
    match protocol {
        Some("http") => EdgeKind::Http,
        Some("grpc") => EdgeKind::Grpc,
        _ => EdgeKind::Unspecified,
    }
}
