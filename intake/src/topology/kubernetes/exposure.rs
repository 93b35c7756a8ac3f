//! What the internet reaches: Services of type LoadBalancer and NodePort, Ingress, Gateway API routes, Istio's
//! VirtualServices on gateways, OpenShift routes; and autoscalers, which say how few instances may run.

use serde_json::Value;
use std::collections::BTreeMap;

use super::super::part::{PartBuilder, id};
use super::Cluster;
use super::object::{Object, list};

/// Annotations by which clouds keep a load balancer inside, with the value that says so.
const INSIDE: [(&str, &str); 6] = [
    ("service.beta.kubernetes.io/aws-load-balancer-internal", "true"),
    ("service.beta.kubernetes.io/aws-load-balancer-scheme", "internal"),
    ("service.beta.kubernetes.io/azure-load-balancer-internal", "true"),
    ("networking.gke.io/load-balancer-type", "internal"),
    ("cloud.google.com/load-balancer-type", "internal"),
    ("service.beta.kubernetes.io/oci-load-balancer-internal", "true"),
];
/// Deepest that a backend stands in a route's rules.
const MAX_DEPTH: usize = 12;

pub fn read(cluster: &Cluster<'_>, objects: &[Object<'_>], part: &mut PartBuilder) {
    for object in objects {
        match object.kind {
            "Service" if object.version == "v1" && is_open(object) => {
                expose(cluster, object, object.name, part);
            }
            "Ingress" | "HTTPRoute" | "GRPCRoute" | "TLSRoute" | "TCPRoute" | "IngressRoute" | "Route" => {
                let mut backends = Vec::new();
                if let Some(spec) = object.value.get("spec") {
                    collect(spec, &mut backends, 0);
                }
                for backend in backends {
                    expose(cluster, object, backend, part);
                }
            }
            "VirtualService"
                if object
                    .list("/spec/gateways")
                    .any(|gateway| gateway.as_str() != Some("mesh")) =>
            {
                for kind in ["/spec/http", "/spec/tcp", "/spec/tls"] {
                    for route in object.list(kind).flat_map(|rule| list(rule, "/route")) {
                        let host = route.pointer("/destination/host").and_then(Value::as_str);
                        host.into_iter().for_each(|host| expose(cluster, object, host, part));
                    }
                }
            }
            _ => {}
        }
    }
}

fn is_open(service: &Object<'_>) -> bool {
    let annotations = service.words("/metadata/annotations");
    let inside = INSIDE.iter().any(|(name, value)| {
        annotations
            .get(name)
            .is_some_and(|said| said.eq_ignore_ascii_case(value))
    });
    matches!(service.text("/spec/type"), Some("LoadBalancer" | "NodePort")) && !inside
}

fn expose(cluster: &Cluster<'_>, object: &Object<'_>, host: &str, part: &mut PartBuilder) {
    let known = cluster.host(&host.to_lowercase(), object.namespace);
    let ids = if known.is_empty() && !host.contains('.') {
        id(host).into_iter().collect()
    } else {
        known
    };
    for id in ids {
        part.node(&id, object.file).runtime.internet_facing = Some(true);
    }
}

/// Names of Services in the rules of a route, in each API's form: Ingress v1 (`service: {name}`) and v1beta1
/// (`serviceName`), Gateway API (`backendRefs`), Traefik (`services`), OpenShift (`to`).
fn collect<'a>(value: &'a Value, found: &mut Vec<&'a str>, depth: usize) {
    if depth > MAX_DEPTH {
        return;
    }
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                match key.as_str() {
                    "serviceName" => found.extend(value.as_str()),
                    "service" | "to" => found.extend(value.get("name").and_then(Value::as_str)),
                    "backendRefs" | "services" => {
                        found.extend(list(value, "").filter_map(|backend| backend.get("name")?.as_str()));
                    }
                    _ => collect(value, found, depth + 1),
                }
            }
        }
        Value::Array(list) => list.iter().for_each(|value| collect(value, found, depth + 1)),
        _ => {}
    }
}

/// (namespace, kind, name) of each scaled workload → as few as its autoscaler may leave; one is the API's default.
pub fn least<'a>(objects: &[Object<'a>]) -> BTreeMap<(&'a str, &'a str, &'a str), Option<u32>> {
    let scalers = objects.iter().filter(|object| object.kind == "HorizontalPodAutoscaler");
    let each = scalers.filter_map(|scaler| {
        let target = |key: &str| scaler.text(&format!("/spec/scaleTargetRef/{key}"));
        let least = match scaler.value.pointer("/spec/minReplicas") {
            Some(least) => least.as_u64().and_then(|least| u32::try_from(least).ok()),
            None => Some(1),
        };
        Some(((scaler.namespace, target("kind")?, target("name")?), least))
    });
    each.collect()
}
