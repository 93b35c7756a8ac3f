//! What a service's definition says, in Compose's short and long forms.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// A published port.
pub enum Published {
    /// The short form, variables and all.
    Short(String),
    /// The long form, at a port that is given, on all interfaces.
    Everywhere,
}

/// A service as one file and those it extends define it. Variables aren't filled in.
#[derive(Default)]
pub struct Definition {
    pub image: Option<String>,
    /// Services whose start or network it needs.
    pub depends_on: BTreeSet<String>,
    /// Service → the name that it has here.
    pub links: BTreeMap<String, String>,
    /// `None`: passed through from outside.
    pub environment: BTreeMap<String, Option<String>>,
    pub env_files: Vec<String>,
    /// Command, entry point and build arguments.
    pub arguments: Vec<String>,
    /// Names under which others reach it.
    pub aliases: BTreeSet<String>,
    pub ports: Vec<Published>,
    /// Whether a reverse proxy is told by label to route to it.
    pub routed: bool,
    pub replicas: Option<u32>,
    pub at_once: bool,
    pub start_first: bool,
}

impl Definition {
    /// Adds what a service it extends says; its own names and numbers go first.
    pub fn add_base(&mut self, base: &Value) {
        let mut inherited = Self::default();
        inherited.add(base);
        self.image = self.image.take().or(inherited.image);
        self.replicas = self.replicas.or(inherited.replicas);
        self.depends_on.extend(inherited.depends_on);
        self.links.extend(inherited.links);
        for (key, value) in inherited.environment {
            self.environment.entry(key).or_insert(value);
        }
        self.env_files.splice(0..0, inherited.env_files);
        if self.arguments.is_empty() {
            self.arguments = inherited.arguments;
        }
        self.ports.extend(inherited.ports);
        self.routed |= inherited.routed;
    }

    /// Adds what a service's value says.
    pub fn add(&mut self, service: &Value) {
        self.image = service.get("image").and_then(text);
        self.depends_on.extend(names(service.get("depends_on")));
        for link in list(service.get("links")) {
            let (service, alias) = link.split_once(':').unwrap_or((&link, &link));
            self.links.insert(service.to_owned(), alias.to_owned());
        }
        for volumes in list(service.get("volumes_from")) {
            if !volumes.starts_with("container:") {
                self.depends_on.extend(volumes.split(':').next().map(str::to_owned));
            }
        }
        for key in ["network_mode", "pid", "ipc"] {
            let shared = service.get(key).and_then(Value::as_str).unwrap_or_default();
            self.depends_on
                .extend(shared.strip_prefix("service:").map(str::to_owned));
        }
        self.environment.extend(pairs(service.get("environment")));
        match service.get("env_file") {
            Some(Value::Array(files)) => self.env_files.extend(
                files
                    .iter()
                    .filter_map(|file| text(file).or_else(|| text(file.get("path")?))),
            ),
            file => self.env_files.extend(file.and_then(text)),
        }
        for key in ["command", "entrypoint"] {
            self.arguments.extend(list(service.get(key)));
        }
        let built = pairs(service.pointer("/build/args"));
        self.arguments
            .extend(built.into_values().flatten().filter(|value| value.contains("://")));
        for key in ["container_name", "hostname"] {
            self.aliases.extend(service.get(key).and_then(text));
        }
        for network in service.get("networks").and_then(Value::as_object).into_iter().flatten() {
            self.aliases.extend(list(network.1.get("aliases")));
        }
        self.ports.extend(
            service
                .get("ports")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
                .filter_map(port),
        );
        for labels in [service.get("labels"), service.pointer("/deploy/labels")] {
            self.routed |= pairs(labels).iter().any(|(key, value)| {
                key == "traefik.enable" && value.as_deref() == Some("true")
                    || key.starts_with("traefik.http.routers.") && key.ends_with(".rule")
            });
        }
        self.deploy(service);
    }

    fn deploy(&mut self, service: &Value) {
        let number = |value: &Value| value.as_u64().or_else(|| value.as_str()?.trim().parse().ok());
        let count = service.pointer("/deploy/replicas").or_else(|| service.get("scale"));
        self.replicas = count.and_then(number).and_then(|count| u32::try_from(count).ok());
        let update = |key: &str| service.pointer("/deploy/update_config")?.get(key);
        self.at_once = update("parallelism").and_then(number) == Some(0);
        self.start_first = update("order").and_then(Value::as_str) == Some("start-first");
    }
}

fn port(port: &Value) -> Option<Published> {
    match port {
        Value::Object(long) => {
            let published = long
                .get("published")
                .and_then(text)
                .is_some_and(|port| !port.is_empty());
            let inside = long
                .get("host_ip")
                .and_then(Value::as_str)
                .is_some_and(|ip| ip.starts_with("127.") || ip == "::1");
            (published && !inside).then_some(Published::Everywhere)
        }
        short => text(short).map(Published::Short),
    }
}

/// A scalar as text.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(yes) => Some(yes.to_string()),
        _ => None,
    }
}

/// One scalar, or a list of them.
fn list(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::Array(list)) => list.iter().filter_map(text).collect(),
        Some(value) => text(value).into_iter().collect(),
        None => Vec::new(),
    }
}

/// A list of names, or the keys of a map.
fn names(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::Object(map)) => map.keys().cloned().collect(),
        value => list(value),
    }
}

/// `KEY=value` in a list, or a map; without a value: passed through.
fn pairs(value: Option<&Value>) -> BTreeMap<String, Option<String>> {
    match value {
        Some(Value::Object(map)) => map.iter().map(|(key, value)| (key.clone(), text(value))).collect(),
        Some(Value::Array(list)) => list
            .iter()
            .filter_map(text)
            .map(|pair| match pair.split_once('=') {
                Some((key, value)) => (key.to_owned(), Some(value.to_owned())),
                None => (pair, None),
            })
            .collect(),
        _ => BTreeMap::new(),
    }
}
