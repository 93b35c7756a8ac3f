//! Who can reach what: security groups, public addresses, services, published ports.

use super::Entry;
use super::source::{Block, Source, blocks, joined};
use super::yaml::{is_yaml, values};

/// Everybody.
const ANYWHERE: [&str; 4] = ["\"0.0.0.0/0\"", "\"::/0\"", "\"*\"", "\"Internet\""];
/// Attributes that name who may come in.
const SOURCES: [&str; 9] = [
    "cidr_blocks",
    "ipv6_cidr_blocks",
    "cidr_ipv4",
    "cidr_ipv6",
    "source_ranges",
    "source_address_prefix",
    "source_address_prefixes",
    "cidr_block",
    "authorized_networks",
];
/// Attributes that say to what.
const PORTS: [&str; 9] = [
    "from_port",
    "to_port",
    "protocol",
    "ip_protocol",
    "ports",
    "destination_port_range",
    "destination_port_ranges",
    "allow",
    "type",
];
/// Attributes whose value makes something public.
const PUBLIC: &[(&str, &str)] = &[
    ("publicly_accessible", "true"),
    ("associate_public_ip_address", "true"),
    ("map_public_ip_on_launch", "true"),
    ("public_network_access_enabled", "true"),
    ("endpoint_public_access", "true"),
    ("internal", "false"),
    ("block_public_acls", "false"),
    ("block_public_policy", "false"),
    ("ignore_public_acls", "false"),
    ("restrict_public_buckets", "false"),
    ("acl", "\"public-read\""),
    ("acl", "\"public-read-write\""),
    ("container_access_type", "\"blob\""),
    ("container_access_type", "\"container\""),
    ("allow_blob_public_access", "true"),
    ("authorization", "\"NONE\""),
];

/// What is open to a network.
pub(super) fn entries(source: &Source<'_>) -> Vec<Entry> {
    let mut found: Vec<Entry> = blocks(source).iter().flat_map(terraform).collect();
    let name = source.name();
    if is_yaml(source) {
        found.extend(if name.contains("compose") {
            compose(source)
        } else {
            kubernetes(source)
        });
    }
    if is_dockerfile(source) {
        for (line, text) in source.lines() {
            if let Some(ports) = instruction(text, "EXPOSE") {
                found.extend(
                    ports
                        .split_whitespace()
                        .map(|port| Entry::new(line, format!("EXPOSE {port}"))),
                );
            }
        }
    }
    found.extend(bindings(source));
    found
}

/// Whether a file is a Dockerfile, by its name.
pub(super) fn is_dockerfile(source: &Source<'_>) -> bool {
    let name = source.name();
    name.starts_with("dockerfile") || name.starts_with("containerfile") || name.ends_with(".dockerfile")
}

/// The arguments of a Dockerfile's instruction.
pub(super) fn instruction<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let (word, rest) = line.trim_start().split_once(char::is_whitespace)?;
    word.eq_ignore_ascii_case(name).then(|| rest.trim())
}

fn terraform(block: &Block<'_>) -> Vec<Entry> {
    let mut found = Vec::new();
    let egress = block.chain.contains("egress")
        || block.value("type").is_some_and(|kind| kind == "\"egress\"")
        || block
            .value("direction")
            .is_some_and(|kind| kind.eq_ignore_ascii_case("\"egress\"") || kind == "\"Outbound\"");
    let ports: Vec<String> = PORTS
        .iter()
        .filter_map(|name| Some(format!("{name}={}", block.value(name)?)))
        .collect();
    for (name, value, line) in &block.attributes {
        let text = joined(value);
        if SOURCES.contains(name) && !egress {
            for anyone in ANYWHERE.iter().filter(|anyone| text.contains(**anyone)) {
                let key = format!("{} open to {anyone} {}", block.chain, ports.join(" "));
                found.push(Entry::new(*line, key));
            }
        }
        if PUBLIC.contains(&(*name, text.as_str())) {
            found.push(Entry::new(*line, format!("{} {name} = {text}", block.chain)));
        }
    }
    found
}

fn compose(source: &Source<'_>) -> Vec<Entry> {
    let mut found = Vec::new();
    for value in values(source.text) {
        if value.key() == "ports" || value.keys.contains(".ports.") {
            let ports = value.elements().filter(|port| !port.is_empty());
            let service = value.keys.split('.').nth(1).unwrap_or_default().to_owned();
            found.extend(ports.map(|port| Entry::new(value.line, format!("port {port} of `{service}`"))));
        }
        if value.key() == "network_mode" && value.text == "host" {
            found.push(Entry::new(value.line, format!("{} = host", value.keys)));
        }
    }
    found
}

fn kubernetes(source: &Source<'_>) -> Vec<Entry> {
    let mut found = Vec::new();
    for value in values(source.text) {
        let opens = match (value.key(), value.text.as_str()) {
            ("type", "LoadBalancer" | "NodePort") => true,
            ("hostNetwork", "true") | ("hostPort" | "nodePort", _) => true,
            ("kind", "Ingress" | "Gateway" | "HTTPRoute" | "VirtualService" | "IngressRoute") => value.keys == "kind",
            ("cidr" | "CidrIp" | "CidrIpv6", "0.0.0.0/0" | "::/0") => {
                !value.keys.to_ascii_lowercase().contains("egress")
            }
            ("host", host) => value.document.starts_with("Ingress/") && !host.is_empty(),
            ("PubliclyAccessible", "true") => true,
            _ => false,
        };
        if opens {
            found.push(Entry::new(
                value.line,
                format!("{} {} = {}", value.document, value.keys, value.text),
            ));
        }
    }
    found
}

/// Servers that listen on every address.
fn bindings(source: &Source<'_>) -> Vec<Entry> {
    if source.is_test()
        || !source.ends_with(&[
            ".py",
            ".js",
            ".ts",
            ".go",
            ".rs",
            ".java",
            ".rb",
            ".sh",
            ".toml",
            ".ini",
            ".cfg",
            ".conf",
            ".properties",
            ".env",
        ])
    {
        return Vec::new();
    }
    let mut found = Vec::new();
    for statement in source.statements() {
        let text = joined(&statement);
        let open = text
            .match_indices("0.0.0.0")
            .any(|(at, _)| !text.get(at + 7..).is_some_and(|rest| rest.starts_with('/')));
        if open && let Some(first) = statement.first() {
            found.push(
                Entry::new(first.line, text.clone())
                    .class("0.0.0.0")
                    .shown(format!("`{text}` listens everywhere")),
            );
        }
    }
    found
}
