//! NetworkPolicies: traffic that is let through between named workloads is meant to be.

use holdpoint_schemas::service::{EdgeKind, ServiceId};
use serde_json::Value;
use std::collections::BTreeSet;

use super::super::part::PartBuilder;
use super::Cluster;
use super::object::{Object, list, words};

/// Most services on one side of a rule: one that selects more is about a zone, not about who calls whom.
const MAX_SIDE: usize = 8;

pub fn read(cluster: &Cluster<'_>, objects: &[Object<'_>], part: &mut PartBuilder) {
    for policy in objects.iter().filter(|object| object.kind == "NetworkPolicy") {
        let own = selected(cluster, policy.namespace, policy.value.pointer("/spec/podSelector"));
        for rule in policy.list("/spec/ingress") {
            for from in list(rule, "/from") {
                draw(&peers(cluster, policy.namespace, from), &own, policy.file, part);
            }
        }
        for rule in policy.list("/spec/egress") {
            for to in list(rule, "/to") {
                draw(&own, &peers(cluster, policy.namespace, to), policy.file, part);
            }
        }
    }
}

fn draw(from: &BTreeSet<ServiceId>, to: &BTreeSet<ServiceId>, file: &str, part: &mut PartBuilder) {
    for from in from {
        for to in to {
            part.edge(from, to, EdgeKind::Unspecified, file);
        }
    }
}

/// Services in the policy's own namespace; other namespaces are selected by labels that aren't known.
fn peers(cluster: &Cluster<'_>, namespace: &str, peer: &Value) -> BTreeSet<ServiceId> {
    if peer.get("namespaceSelector").is_some() {
        return BTreeSet::new();
    }
    selected(cluster, namespace, peer.get("podSelector"))
}

/// Services whose pods a selector names. One by expressions, and the empty one, name none.
fn selected(cluster: &Cluster<'_>, namespace: &str, selector: Option<&Value>) -> BTreeSet<ServiceId> {
    let labels = words(selector.and_then(|selector| selector.get("matchLabels")));
    let expressions = selector.is_some_and(|selector| selector.get("matchExpressions").is_some());
    if labels.is_empty() || expressions {
        return BTreeSet::new();
    }
    let found: BTreeSet<ServiceId> = cluster
        .workloads
        .iter()
        .filter(|workload| workload.object.namespace == namespace && workload.has(&labels))
        .map(|workload| workload.id.clone())
        .collect();
    if found.len() <= MAX_SIDE {
        found
    } else {
        BTreeSet::new()
    }
}
