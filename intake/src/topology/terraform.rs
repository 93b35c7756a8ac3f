//! Terraform and OpenTofu: a plan or a state as JSON (`terraform show -json`, JSON output format 1.x) or a state
//! file (version 4).
//!
//! Each managed resource is a node, one per block whatever its `count`. Edges are the references that the plan's
//! configuration has; a state lists what was there before, through others too, so it gives none.

use holdpoint_schemas::SourceError;
use holdpoint_schemas::service::{EdgeKind, NodeKind, ServiceId};
use serde_json::Value;

use super::Topology;
use super::document::Document;
use super::part::{Authority, PartBuilder, add, id};

pub const ID: &str = "terraform";
/// Deepest modules: a module within a module is common, twenty are not.
const MAX_MODULES: usize = 20;
/// Attributes that hold the address under which a resource is called; never secret by their meaning.
const ENDPOINTS: [&str; 7] = [
    "endpoint",
    "address",
    "fqdn",
    "dns_name",
    "domain_name",
    "reader_endpoint",
    "primary_endpoint_address",
];

pub fn detect(document: &Document<'_>) -> bool {
    document.outline().is_some_and(|outline| {
        let shown = outline.has(&["format_version"])
            && ["values", "planned_values", "resource_changes", "configuration"]
                .iter()
                .any(|key| outline.has(&[key]));
        shown || outline.has(&["terraform_version", "resources", "lineage"])
    })
}

pub fn read(documents: &[&Document<'_>], topology: &mut Topology) {
    for document in documents {
        let value: Value = match document.json("a plan or state of Terraform in JSON") {
            Ok(value) => value,
            Err(error) => {
                topology.unreadable.push(*error);
                continue;
            }
        };
        if let Some(error) = wrong(document.name, &value) {
            topology.unreadable.push(error);
            continue;
        }
        let mut part = PartBuilder::new(ID, Authority::Infrastructure);
        for root in ["/planned_values/root_module", "/values/root_module"] {
            if let Some(module) = value.pointer(root) {
                resources(module, document.name, &mut part, 0);
            }
        }
        for resource in list(&value, "resources") {
            state_file(resource, document.name, &mut part);
        }
        if let Some(module) = value.pointer("/configuration/root_module") {
            references(module, "", document.name, &mut part, 0);
        }
        topology.add(part);
    }
}

/// What shows that a document isn't of a format that is known here: leaving it out would lose edges.
fn wrong(file: &str, document: &Value) -> Option<SourceError> {
    let help = "write it with `terraform show -json PLAN`";
    let error = |message: String| Some(SourceError::new(file, message).help(help));
    match document.get("format_version") {
        Some(Value::String(version)) if matches!(version.split('.').next(), Some("0" | "1")) => {}
        Some(version) => {
            return error(format!(
                "format `{version}` of Terraform's JSON, but 0.x or 1.x was expected"
            ));
        }
        None => {}
    }
    let roots = ["/planned_values/root_module", "/values/root_module"];
    let strange: fn(&Value) -> bool = |resource| resource.get("address").is_some_and(|address| !address.is_string());
    let found = roots
        .iter()
        .filter_map(|root| document.pointer(root))
        .any(|root| any_resource(root, strange, 0))
        || list(document, "resource_changes").any(strange);
    if found {
        return error("an address isn't text".to_owned());
    }
    None
}

fn any_resource(module: &Value, wanted: fn(&Value) -> bool, depth: usize) -> bool {
    let mut children = list(module, "child_modules");
    list(module, "resources").any(wanted)
        || (depth < MAX_MODULES && children.any(|child| any_resource(child, wanted, depth + 1)))
}

fn resources(module: &Value, file: &str, part: &mut PartBuilder, depth: usize) {
    for resource in list(module, "resources") {
        let text = |key: &str| resource.get(key).and_then(Value::as_str);
        let (Some(address), Some(kind)) = (text("address"), text("type")) else {
            continue;
        };
        if text("mode") == Some("managed") {
            node(address, kind, resource.get("values"), file, part);
        }
    }
    if depth < MAX_MODULES {
        for child in list(module, "child_modules") {
            resources(child, file, part, depth + 1);
        }
    }
}

fn state_file(resource: &Value, file: &str, part: &mut PartBuilder) {
    let text = |key: &str| resource.get(key).and_then(Value::as_str);
    let (Some(kind), Some(name)) = (text("type"), text("name")) else {
        return;
    };
    if text("mode") != Some("managed") {
        return;
    }
    let module = text("module").map(|module| format!("{module}.")).unwrap_or_default();
    let block = format!("{module}{kind}.{name}");
    for instance in list(resource, "instances") {
        let key = match instance.get("index_key") {
            Some(Value::String(key)) => format!("[\"{key}\"]"),
            Some(Value::Number(key)) => format!("[{key}]"),
            _ => String::new(),
        };
        node(&format!("{block}{key}"), kind, instance.get("attributes"), file, part);
    }
}

fn node(address: &str, kind: &str, values: Option<&Value>, file: &str, part: &mut PartBuilder) {
    let Some(own) = id(&without_keys(address)) else { return };
    let service = part.node(&own, file);
    service.kind = NodeKind::Resource;
    service.name = without_keys(address);
    add(&mut service.iac_addresses, address);
    for name in ENDPOINTS {
        // Without a port; a resource's `address` may also be one of mail or of a street.
        let host = values.and_then(|values| values.get(name)?.as_str()).unwrap_or_default();
        let host = host.split(':').next().unwrap_or_default().to_lowercase();
        let is_name = host.contains('.') && host.chars().all(|c| c.is_ascii_alphanumeric() || ".-".contains(c));
        if is_name && host.chars().any(|c| c.is_ascii_alphabetic()) {
            add(&mut service.runtime.addresses, &host);
        }
    }
    let public = ["publicly_accessible", "public_network_access_enabled"]
        .iter()
        .find_map(|name| values?.get(*name)?.as_bool());
    let open = values
        .and_then(|values| values.get("internal")?.as_bool())
        .map(|internal| !internal);
    if kind.starts_with("aws_lb") || kind == "aws_elb" || kind == "aws_alb" {
        service.runtime.internet_facing = worse(service.runtime.internet_facing, open);
    }
    service.runtime.internet_facing = worse(service.runtime.internet_facing, public);
}

fn worse(one: Option<bool>, other: Option<bool>) -> Option<bool> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one || other),
        (one, other) => one.or(other),
    }
}

/// Draws what the expressions of each resource refer to within its module.
fn references(module: &Value, prefix: &str, file: &str, part: &mut PartBuilder, depth: usize) {
    for resource in list(module, "resources") {
        let text = |key: &str| resource.get(key).and_then(Value::as_str);
        let (Some(address), Some("managed")) = (text("address"), text("mode")) else {
            continue;
        };
        let Some(from) = id(&format!("{prefix}{address}")) else {
            continue;
        };
        if !part.has(&from) {
            continue;
        }
        let mut found = Vec::new();
        if let Some(expressions) = resource.get("expressions") {
            collect(expressions, &mut found, 0);
        }
        found.extend(list(resource, "depends_on").filter_map(Value::as_str));
        for reference in found {
            if let Some((to, kind)) = target(prefix, reference, part) {
                part.edge(&from, &to, kind, file);
            }
        }
    }
    if depth < MAX_MODULES {
        let calls = module.get("module_calls").and_then(Value::as_object);
        for (name, call) in calls.into_iter().flatten() {
            if let Some(module) = call.get("module") {
                references(module, &format!("{prefix}module.{name}."), file, part, depth + 1);
            }
        }
    }
}

fn collect<'a>(expression: &'a Value, found: &mut Vec<&'a str>, depth: usize) {
    if depth > MAX_MODULES {
        return;
    }
    match expression {
        Value::Object(map) => {
            for (key, value) in map {
                if key == "references" {
                    found.extend(value.as_array().into_iter().flatten().filter_map(Value::as_str));
                } else if key != "constant_value" {
                    collect(value, found, depth + 1);
                }
            }
        }
        Value::Array(list) => list.iter().for_each(|value| collect(value, found, depth + 1)),
        _ => {}
    }
}

/// The resource that `aws_db_instance.main.address` refers to.
fn target(prefix: &str, reference: &str, part: &PartBuilder) -> Option<(ServiceId, EdgeKind)> {
    let plain = without_keys(reference);
    let (kind, rest) = plain.split_once('.')?;
    if matches!(
        kind,
        "data" | "module" | "var" | "local" | "each" | "count" | "path" | "self" | "terraform"
    ) {
        return None;
    }
    let name = rest.split('.').next()?;
    let to = id(&format!("{prefix}{kind}.{name}"))?;
    part.has(&to).then(|| (to, edge_kind(kind)))
}

fn edge_kind(kind: &str) -> EdgeKind {
    let has = |words: &[&str]| words.iter().any(|word| kind.contains(word));
    if has(&[
        "db_instance",
        "rds_cluster",
        "sql_database",
        "dynamodb_table",
        "elasticache",
        "redis",
        "docdb",
        "bigtable",
        "spanner",
        "cosmosdb",
        "postgresql",
        "mysql",
        "opensearch_domain",
        "elasticsearch_domain",
    ]) {
        EdgeKind::Database
    } else if has(&[
        "sqs_queue",
        "sns_topic",
        "pubsub",
        "kinesis",
        "msk_cluster",
        "eventhub",
        "servicebus",
        "mq_broker",
    ]) {
        EdgeKind::Event
    } else {
        EdgeKind::Deploy
    }
}

/// An address without the keys of `count` and `for_each`.
fn without_keys(address: &str) -> String {
    let mut plain = String::new();
    let (mut depth, mut quoted) = (0usize, false);
    for c in address.chars() {
        match c {
            '"' if depth > 0 => quoted = !quoted,
            '[' if !quoted => depth += 1,
            ']' if !quoted => depth = depth.saturating_sub(1),
            c if depth == 0 => plain.push(c),
            _ => {}
        }
    }
    plain
}

fn list<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value.get(key).and_then(Value::as_array).into_iter().flatten()
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_plan_of_another_format_or_with_a_strange_address_is_an_error() {
        let resource = |address: &str| {
            format!(
                r#"{{"root_module": {{"resources": [{{"address": {address}, "mode": "managed", "type": "a_b"}}]}}}}"#
            )
        };
        let wrong = |version: &str, address: &str| {
            let text = format!(
                r#"{{"format_version": {version}, "planned_values": {}}}"#,
                resource(address)
            );
            super::super::read_topology(&[("plan.json", text.as_bytes())])
                .unreadable
                .len()
        };
        assert_eq!(wrong("\"1.2\"", "\"a_b.c\""), 0);
        assert_eq!(wrong("\"99\"", "\"a_b.c\""), 1);
        assert_eq!(wrong("99", "\"a_b.c\""), 1);
        assert_eq!(wrong("\"1.2\"", "5"), 1);
    }
}
