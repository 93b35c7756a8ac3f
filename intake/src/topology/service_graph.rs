//! Service graphs that are made of spans: metrics of the OpenTelemetry Collector's `servicegraph` connector and of
//! Grafana Tempo (`traces_service_graph_request_total{client, server, connection_type}`), as OTLP JSON or as the
//! answer of a Prometheus query.

use holdpoint_schemas::service::EdgeKind;
use serde_json::Value;

use super::Topology;
use super::document::Document;
use super::part::{Authority, PartBuilder, id};

pub const ID: &str = "otlp-service-graph";
/// Clients that stand for whoever calls from outside (the connector's virtual nodes).
const OUTSIDE: [&str; 2] = ["user", "unknown"];

pub fn detect(document: &Document<'_>) -> bool {
    document.outline().is_some_and(|outline| {
        outline.has(&["resourceMetrics"]) || (outline.has(&["status"]) && outline.has_inner("data", "result"))
    })
}

pub fn read(documents: &[&Document<'_>], topology: &mut Topology) {
    for document in documents {
        let value: Value = match document.json("a service graph in OTLP JSON") {
            Ok(value) => value,
            Err(error) => {
                topology.unreadable.push(*error);
                continue;
            }
        };
        let mut part = PartBuilder::new(ID, Authority::Observation);
        for sample in list(&value, "/data/result") {
            let label = |name: &str| sample.pointer("/metric")?.get(name)?.as_str();
            call(&mut part, document.name, label);
        }
        for point in points(&value) {
            let label = |name: &str| {
                let attributes = point.get("attributes")?.as_array()?;
                let found = attributes
                    .iter()
                    .find(|attribute| attribute.get("key").and_then(Value::as_str) == Some(name))?;
                found.pointer("/value/stringValue")?.as_str()
            };
            call(&mut part, document.name, label);
        }
        topology.add(part);
    }
}

fn call<'a>(part: &mut PartBuilder, file: &str, label: impl Fn(&str) -> Option<&'a str>) {
    let (Some(client), Some(server)) = (label("client"), label("server")) else {
        return;
    };
    let Some(to) = id(server) else { return };
    part.node(&to, file);
    if OUTSIDE.contains(&client) {
        part.node(&to, file).runtime.internet_facing = Some(true);
        return;
    }
    let Some(from) = id(client) else { return };
    part.node(&from, file);
    let kind = match label("connection_type") {
        Some("database") => EdgeKind::Database,
        Some("messaging_system") => EdgeKind::Event,
        _ => EdgeKind::Unspecified,
    };
    part.edge(&from, &to, kind, file);
}

/// Data points of the request counter.
fn points(value: &Value) -> impl Iterator<Item = &Value> {
    list(value, "/resourceMetrics")
        .flat_map(|resource| list(resource, "/scopeMetrics"))
        .flat_map(|scope| list(scope, "/metrics"))
        .filter(|metric| {
            let name = metric.get("name").and_then(Value::as_str).unwrap_or_default();
            name.starts_with("traces_service_graph_request")
        })
        .flat_map(|metric| {
            ["/sum/dataPoints", "/gauge/dataPoints", "/histogram/dataPoints"]
                .into_iter()
                .flat_map(|path| list(metric, path))
        })
}

fn list<'a>(value: &'a Value, path: &str) -> impl Iterator<Item = &'a Value> {
    value.pointer(path).and_then(Value::as_array).into_iter().flatten()
}
