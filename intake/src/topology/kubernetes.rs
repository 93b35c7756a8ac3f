//! Kubernetes manifests: workloads, the Services before them, what they are configured to call, and whether the
//! internet reaches them.
//!
//! A service is what a reader calls it: workloads that carry the same app label behind one Service (versions of it)
//! are one. The same name in several namespaces is one service, too: they are usually its environments.

mod exposure;
mod object;
mod policy;
mod workload;

use holdpoint_schemas::service::{NodeKind, ServiceId};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

use super::Topology;
use super::address::{self, Address, Form, Host};
use super::document::Document;
use super::image::{self, Technology};
use super::part::{Authority, PartBuilder, add, fewer, id, rougher};
use super::variables::{Variables, expand};
use object::{Object, objects};
use workload::Workload;

pub const ID: &str = "kubernetes";
/// Most services that one Kubernetes Service stands for: one that selects more is no address of any.
const MAX_BEHIND: usize = 8;
/// What stands where a host could, and is none.
const NO_HOSTS: [&str; 8] = ["true", "false", "none", "null", "disabled", "off", "auto", "default"];

pub fn detect(document: &Document<'_>) -> bool {
    document.yaml().iter().any(|value| {
        let version = value.get("apiVersion").and_then(Value::as_str).unwrap_or_default();
        value.get("kind").is_some_and(Value::is_string) && !version.is_empty() && !version.starts_with("backstage.io/")
    })
}

pub fn read(documents: &[&Document<'_>], topology: &mut Topology) {
    let objects = objects(documents);
    let mut part = PartBuilder::new(ID, Authority::Manifest);
    Cluster::new(&objects).read(&objects, &mut part);
    topology.add(part);
}

/// A Kubernetes Service.
struct Front<'a> {
    object: &'a Object<'a>,
    selector: BTreeMap<&'a str, &'a str>,
}

/// What the manifests hold, by name.
struct Cluster<'a> {
    workloads: Vec<Workload<'a>>,
    fronts: Vec<Front<'a>>,
    /// (namespace, name of a Service) → what it stands for.
    names: BTreeMap<(&'a str, &'a str), BTreeSet<ServiceId>>,
    /// Name of a Service → namespaces that have it.
    namespaces: BTreeMap<&'a str, BTreeSet<&'a str>>,
    /// (namespace, name of a ConfigMap) → its values.
    configs: BTreeMap<(&'a str, &'a str), &'a serde_json::Map<String, Value>>,
    /// Name without separators → service, for variables that are named for one.
    compact: BTreeMap<String, Option<ServiceId>>,
    /// What the workloads are, where they are stores or brokers.
    technologies: BTreeMap<ServiceId, Option<Technology>>,
    /// (namespace, kind, name) of a workload that is scaled → the fewest pods.
    least: BTreeMap<(&'a str, &'a str, &'a str), Option<u32>>,
}

impl<'a> Cluster<'a> {
    fn new(objects: &'a [Object<'a>]) -> Self {
        let mut workloads: Vec<Workload<'a>> = objects.iter().filter_map(Workload::of).collect();
        let fronts: Vec<Front<'a>> = objects
            .iter()
            .filter(|object| object.kind == "Service" && object.version == "v1")
            .map(|object| Front {
                object,
                selector: object.words("/spec/selector"),
            })
            .collect();
        let selected = select(&workloads, &fronts);
        let mut before: BTreeMap<usize, Vec<(&str, usize)>> = BTreeMap::new();
        for (front, workloads) in fronts.iter().zip(&selected) {
            for at in workloads {
                let named = (front.object.name, front.selector.len());
                before.entry(*at).or_default().push(named);
            }
        }
        for (at, workload) in workloads.iter_mut().enumerate() {
            workload.decide_id(before.get(&at).map_or(&[], Vec::as_slice));
        }
        let mut cluster = Self {
            names: BTreeMap::new(),
            namespaces: BTreeMap::new(),
            configs: BTreeMap::new(),
            compact: BTreeMap::new(),
            technologies: BTreeMap::new(),
            least: exposure::least(objects),
            workloads,
            fronts,
        };
        cluster.index(objects, &selected);
        cluster
    }

    fn index(&mut self, objects: &'a [Object<'a>], selected: &[BTreeSet<usize>]) {
        for (front, workloads) in self.fronts.iter().zip(selected) {
            let (namespace, name) = (front.object.namespace, front.object.name);
            let mut ids: BTreeSet<ServiceId> = workloads
                .iter()
                .filter_map(|at| Some(self.workloads.get(*at)?.id.clone()))
                .collect();
            if let Some(own) = id(name).filter(|own| ids.is_empty() || ids.contains(own)) {
                ids = BTreeSet::from([own]);
            }
            if ids.len() <= MAX_BEHIND {
                self.names.entry((namespace, name)).or_default().extend(ids);
                self.namespaces.entry(name).or_default().insert(namespace);
            }
        }
        for workload in &self.workloads {
            self.technologies.insert(workload.id.clone(), workload.technology());
        }
        for object in objects.iter().filter(|object| object.kind == "ConfigMap") {
            if let Some(data) = object.value.get("data").and_then(Value::as_object) {
                self.configs.insert((object.namespace, object.name), data);
            }
        }
        let ids = self
            .names
            .values()
            .flatten()
            .chain(self.workloads.iter().map(|workload| &workload.id));
        for id in ids {
            self.compact
                .entry(address::compact(&id.0))
                .and_modify(|known| {
                    if known.as_ref() != Some(id) {
                        *known = None;
                    }
                })
                .or_insert_with(|| Some(id.clone()));
        }
    }

    fn read(&self, objects: &'a [Object<'a>], part: &mut PartBuilder) {
        for workload in &self.workloads {
            self.node(workload, part);
        }
        for front in &self.fronts {
            self.front(front, part);
        }
        for workload in &self.workloads {
            for (address, may_be_new) in self.addresses(workload) {
                for to in self.targets(&address, workload.object.namespace, may_be_new) {
                    if !part.has(&to) {
                        let technology = image::technology(None, &to.0);
                        let node = part.node(&to, workload.object.file);
                        if technology.is_some() {
                            node.kind = NodeKind::Resource;
                        }
                    }
                    let technology = self.technology(&to);
                    let kind = technology.map_or(address.kind, |technology| technology.edge);
                    part.edge(&workload.id, &to, kind, workload.object.file);
                }
            }
        }
        policy::read(self, objects, part);
        exposure::read(self, objects, part);
    }

    fn node(&self, workload: &Workload<'_>, part: &mut PartBuilder) {
        let service = part.node(&workload.id, workload.object.file);
        for image in workload.images() {
            if let Some(image) = image::repository(image) {
                add(&mut service.runtime.images, &image);
            }
        }
        if workload.technology().is_some() {
            service.kind = NodeKind::Resource;
        }
        let object = workload.object;
        let replicas = match self.least.get(&(object.namespace, object.kind, object.name)) {
            // A number in the manifest is only where it starts.
            Some(least) => fewer(*least, workload.replicas().filter(|_| workload.says_replicas())),
            None => workload.replicas(),
        };
        service.runtime.replicas = fewer(service.runtime.replicas, replicas);
        service.runtime.update_strategy = rougher(service.runtime.update_strategy, workload.strategy());
    }

    fn front(&self, front: &Front<'_>, part: &mut PartBuilder) {
        let (namespace, name) = (front.object.namespace, front.object.name);
        let ids = self.names.get(&(namespace, name)).cloned().unwrap_or_default();
        let external = front.object.text("/spec/externalName");
        for id in &ids {
            let service = part.node(id, front.object.file);
            if ids.len() == 1 {
                let name = name.to_lowercase();
                add(&mut service.runtime.addresses, &name);
                if !namespace.is_empty() {
                    // Also what traces of a mesh call it.
                    add(&mut service.runtime.addresses, &format!("{name}.{namespace}"));
                }
            }
            if let Some(host) = external {
                service.kind = NodeKind::External;
                add(&mut service.runtime.addresses, &host.to_lowercase());
            }
        }
    }

    fn technology(&self, id: &ServiceId) -> Option<Technology> {
        match self.technologies.get(id) {
            Some(known) => *known,
            None => image::technology(None, &id.0),
        }
    }

    /// Addresses that a workload is configured with, and whether each is one by its key alone.
    fn addresses(&self, workload: &Workload<'_>) -> Vec<(Address, bool)> {
        let namespace = workload.object.namespace;
        let config = |name: &str| self.configs.get(&(namespace, name)).copied();
        let mut found = Vec::new();
        for container in workload.containers() {
            let mut given = Variables::new();
            for map in workload::config_refs(container).filter_map(config) {
                given.extend(
                    map.iter()
                        .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))),
                );
            }
            for (name, value) in workload::variables(container) {
                let value = match value {
                    workload::Given::Text(text) => Some(expand(text, &given)),
                    workload::Given::Config { map, key } => {
                        config(map).and_then(|map| Some(map.get(key)?.as_str()?.to_owned()))
                    }
                    workload::Given::Elsewhere => None,
                };
                if let Some(value) = value {
                    given.insert(name.to_owned(), value);
                }
            }
            for (key, value) in &given {
                let all = address::in_value(key, value);
                // `name:port` where the key doesn't say that it is an address may be anything.
                let named = address::in_name(key).is_some();
                let is_host = address::is_host_key(key) && !NO_HOSTS.contains(&value.to_lowercase().as_str());
                found.extend(all.into_iter().map(|address| {
                    let sure = match address.form {
                        Form::Url => true,
                        Form::WithPort => named,
                        Form::Named => is_host,
                    };
                    (address, sure)
                }));
            }
            for argument in workload::arguments(container) {
                let text = expand(argument, &given);
                found.extend(address::in_text(&text).into_iter().map(|address| (address, false)));
            }
        }
        for map in workload.mounted_configs().filter_map(config) {
            for text in map.values().filter_map(Value::as_str) {
                found.extend(address::in_text(text).into_iter().map(|address| (address, false)));
            }
        }
        found
    }

    fn targets(&self, address: &Address, namespace: &str, may_be_new: bool) -> BTreeSet<ServiceId> {
        match &address.host {
            Host::Variable(name) => {
                let named = address::service_in_variable(name).filter(|named| !named.may_be_public);
                let found = named.and_then(|named| self.compact.get(&named.service)?.clone());
                found.into_iter().collect()
            }
            Host::Name(host) => {
                let known = self.host(host, namespace);
                if !known.is_empty() || host == "kubernetes" || host.starts_with("kubernetes.default") {
                    return known;
                }
                let new = match service_of_dns(host) {
                    Some(name) => Some(name),
                    None if may_be_new && !host.contains('.') => Some(host.as_str()),
                    None => None,
                };
                // One of this name elsewhere is another one: names are looked up in their own namespace.
                let new = new.filter(|name| !self.namespaces.contains_key(name));
                new.and_then(id).into_iter().collect()
            }
        }
    }

    /// What a host name in a namespace stands for (Kubernetes DNS specification).
    fn host(&self, host: &str, namespace: &str) -> BTreeSet<ServiceId> {
        let labels: Vec<&str> = host.split('.').collect();
        let (name, within) = match (labels.iter().position(|label| *label == "svc"), labels.as_slice()) {
            (Some(svc), labels) if svc >= 2 => (labels.get(svc - 2).copied(), labels.get(svc - 1).copied()),
            (_, [name]) => (Some(*name), None),
            // `service.namespace`, or `pod.service` of a StatefulSet.
            (_, [first, second]) => {
                let in_namespace = self.namespaces.get(first).is_some_and(|spaces| spaces.contains(second));
                let pod = first.strip_prefix(second).is_some_and(|rest| rest.starts_with('-'));
                match (in_namespace, pod) {
                    (true, _) => (Some(*first), Some(*second)),
                    (false, true) => (Some(*second), None),
                    _ => (None, None),
                }
            }
            _ => (None, None),
        };
        let Some(name) = name else { return BTreeSet::new() };
        let wanted = within.unwrap_or(namespace);
        let exact = self.names.get(&(wanted, name));
        // Manifests without a namespace get theirs when they are applied.
        let elsewhere = || {
            let spaces = self.namespaces.get(name)?;
            let one = if spaces.len() == 1 { spaces.first() } else { None };
            let space = spaces.get("").or(one)?;
            let applies = space.is_empty() || within.is_none() && namespace.is_empty();
            if applies { self.names.get(&(space, name)) } else { None }
        };
        exact.or_else(elsewhere).cloned().unwrap_or_default()
    }
}

/// The Service's name in `name.namespace.svc…`.
fn service_of_dns(host: &str) -> Option<&str> {
    let labels: Vec<&str> = host.split('.').collect();
    let svc = labels.iter().position(|label| *label == "svc")?;
    let rest = labels.get(svc + 1..)?;
    let ours = rest.is_empty() || rest == ["cluster", "local"];
    labels.get(svc.checked_sub(2)?).copied().filter(|_| ours)
}

/// For each Service the workloads that it selects.
fn select(workloads: &[Workload<'_>], fronts: &[Front<'_>]) -> Vec<BTreeSet<usize>> {
    let mut by_label: BTreeMap<(&str, &str, &str), Vec<usize>> = BTreeMap::new();
    for (at, workload) in workloads.iter().enumerate() {
        for (key, value) in &workload.labels {
            by_label
                .entry((workload.object.namespace, key, value))
                .or_default()
                .push(at);
        }
    }
    let none = Vec::new();
    let select = |front: &Front<'_>| {
        let lists = front
            .selector
            .iter()
            .map(|(key, value)| by_label.get(&(front.object.namespace, *key, *value)).unwrap_or(&none));
        let shortest = lists.min_by_key(|list| list.len()).unwrap_or(&none);
        let all = |at: &&usize| {
            workloads
                .get(**at)
                .is_some_and(|workload| workload.has(&front.selector))
        };
        shortest.iter().filter(all).copied().collect()
    };
    fronts.iter().map(select).collect()
}

#[cfg(test)]
mod tests;
