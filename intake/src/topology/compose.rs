//! Docker Compose files (Compose specification; versions 1 to 3 as well).
//!
//! Files that one `docker compose` would read together (the usual names in one folder) are one project.

mod definition;

use holdpoint_schemas::service::{EdgeKind, NodeKind, ServiceId, UpdateStrategy};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

use super::Topology;
use super::address::{self, Address, Form, Host};
use super::document::{Content, Document, base, folder, resolve};
use super::image::{self, Technology};
use super::part::{Authority, PartBuilder, add, fewer, id, rougher};
use super::services::is_own;
use super::variables::{Variables, interpolate};
use definition::{Definition, Published};

pub const ID: &str = "docker-compose";
/// Longest chain of `extends`.
const MAX_EXTENDS: usize = 16;

/// Files of variables are read along.
pub fn detect(document: &Document<'_>) -> bool {
    document.is_variables() || document.yaml().iter().any(|value| is_compose(document.name, value))
}

fn is_compose(name: &str, value: &Value) -> bool {
    services_of(name, value).is_some()
}

/// The services of a document; those of version 1 stand at its top.
fn services_of<'a>(name: &str, value: &'a Value) -> Option<&'a Map<String, Value>> {
    if value.get("apiVersion").is_some() || is_own(name, value) {
        return None;
    }
    let root = value.as_object()?;
    let is_map = |service: &Value| service.is_object() || service.is_null();
    match root.get("services") {
        Some(Value::Object(services)) => services.values().all(is_map).then_some(services),
        Some(_) => None,
        None => {
            let has_image = |service: &Value| ["image", "build"].iter().any(|key| service.get(key).is_some());
            let first = base(name).contains("compose") && !root.is_empty() && root.values().all(has_image);
            first.then_some(root)
        }
    }
}

pub fn read(documents: &[&Document<'_>], topology: &mut Topology) {
    let mut projects: BTreeMap<(&str, &str), Vec<&Document<'_>>> = BTreeMap::new();
    for document in documents.iter().filter(|document| !document.is_variables()) {
        let name = base(document.name);
        let usual = name.starts_with("compose") || name.starts_with("docker-compose");
        let project = (folder(document.name), if usual { "" } else { name });
        projects.entry(project).or_default().push(document);
    }
    let files: BTreeMap<&str, &Variables> = documents
        .iter()
        .filter_map(|document| match &document.content {
            Content::Variables(variables) => Some((document.name, variables)),
            _ => None,
        })
        .collect();
    for ((folder, _), project) in projects {
        let mut part = PartBuilder::new(ID, Authority::Manifest);
        let none = Variables::new();
        let given = files.get(resolve(folder, ".env").as_str()).copied().unwrap_or(&none);
        Project::new(documents, &project, given, &files).read(&mut part);
        topology.add(part);
    }
}

/// One service as one file has it.
struct Own<'a> {
    file: &'a str,
    id: ServiceId,
    definition: Definition,
}

struct Project<'a> {
    services: Vec<Own<'a>>,
    /// Host name → service.
    hosts: BTreeMap<String, ServiceId>,
    /// Name without separators → service; `None` where several have it.
    compact: BTreeMap<String, Option<ServiceId>>,
    /// Technology → the service that is it; `None` where several are.
    stores: BTreeMap<&'static str, Option<ServiceId>>,
    technologies: BTreeMap<ServiceId, Technology>,
    files: &'a BTreeMap<&'a str, &'a Variables>,
    given: &'a Variables,
}

impl<'a> Project<'a> {
    fn new(
        all: &[&'a Document<'_>],
        project: &[&'a Document<'_>],
        given: &'a Variables,
        files: &'a BTreeMap<&'a str, &'a Variables>,
    ) -> Self {
        let mut services = Vec::new();
        for document in project {
            for value in document.yaml() {
                for (name, service) in services_of(document.name, value).into_iter().flatten() {
                    let Some(id) = id(name) else { continue };
                    let mut definition = Definition::default();
                    definition.add(service);
                    inherit(all, document.name, value, service, &mut definition);
                    services.push(Own {
                        file: document.name,
                        id,
                        definition,
                    });
                }
            }
        }
        let mut project = Self {
            services,
            hosts: BTreeMap::new(),
            compact: BTreeMap::new(),
            stores: BTreeMap::new(),
            technologies: BTreeMap::new(),
            files,
            given,
        };
        project.index();
        project
    }

    fn index(&mut self) {
        let mut images: BTreeMap<&ServiceId, Option<String>> = BTreeMap::new();
        for own in &self.services {
            let image = own
                .definition
                .image
                .as_deref()
                .map(|image| interpolate(image, self.given));
            let known = images.entry(&own.id).or_default();
            *known = known.take().or(image);
            for alias in &own.definition.aliases {
                self.hosts
                    .entry(interpolate(alias, self.given).to_lowercase())
                    .or_insert_with(|| own.id.clone());
            }
        }
        for (id, image) in images {
            let only = |known: &mut Option<ServiceId>| {
                if known.as_ref() != Some(id) {
                    *known = None;
                }
            };
            self.hosts.insert(id.0.clone(), id.clone());
            self.compact
                .entry(address::compact(&id.0))
                .and_modify(only)
                .or_insert_with(|| Some(id.clone()));
            if let Some(technology) = image::technology(image.as_deref(), &id.0) {
                self.technologies.insert(id.clone(), technology);
                self.stores
                    .entry(technology.name)
                    .and_modify(only)
                    .or_insert_with(|| Some(id.clone()));
            }
        }
    }

    fn read(&self, part: &mut PartBuilder) {
        for own in &self.services {
            self.node(own, part);
        }
        for own in &self.services {
            let links: BTreeMap<String, ServiceId> = own
                .definition
                .links
                .iter()
                .filter_map(|(service, alias)| Some((alias.to_lowercase(), self.service(service)?)))
                .collect();
            let named = own.definition.depends_on.iter().chain(own.definition.links.keys());
            for to in named.filter_map(|name| self.service(name)) {
                self.edge(part, own, &to, EdgeKind::Unspecified);
            }
            for address in self.addresses(own) {
                if let Some(to) = self.target(&address, &links) {
                    self.edge(part, own, &to, address.kind);
                }
            }
        }
    }

    fn edge(&self, part: &mut PartBuilder, own: &Own<'_>, to: &ServiceId, kind: EdgeKind) {
        let kind = self.technologies.get(to).map_or(kind, |technology| technology.edge);
        part.edge(&own.id, to, kind, own.file);
    }

    fn service(&self, name: &str) -> Option<ServiceId> {
        let name = interpolate(name, self.given).to_lowercase();
        self.hosts.get(&name).cloned()
    }

    fn node(&self, own: &Own<'_>, part: &mut PartBuilder) {
        let definition = &own.definition;
        let service = part.node(&own.id, own.file);
        if self.technologies.contains_key(&own.id) {
            service.kind = NodeKind::Resource;
        }
        let image = definition.image.as_deref().map(|image| interpolate(image, self.given));
        if let Some(image) = image.as_deref().and_then(image::repository) {
            add(&mut service.runtime.images, &image);
        }
        for alias in &definition.aliases {
            let alias = interpolate(alias, self.given).to_lowercase();
            if !super::variables::is_open(&alias) {
                add(&mut service.runtime.addresses, &alias);
            }
        }
        let published = definition.ports.iter().any(|port| match port {
            Published::Short(text) => is_published(&interpolate(text, self.given)),
            Published::Everywhere => true,
        });
        if published || definition.routed {
            service.runtime.internet_facing = Some(true);
        }
        service.runtime.replicas = fewer(service.runtime.replicas, definition.replicas);
        // By default the old one is stopped first ("deploy", `update_config.order`).
        let strategy = definition.replicas.map(|replicas| {
            let at_once = definition.at_once || replicas == 1;
            if at_once && !definition.start_first {
                UpdateStrategy::Recreate
            } else {
                UpdateStrategy::Rolling
            }
        });
        service.runtime.update_strategy = rougher(service.runtime.update_strategy, strategy);
    }

    fn addresses(&self, own: &Own<'_>) -> Vec<Address> {
        let definition = &own.definition;
        let mut variables: BTreeMap<&str, Option<String>> = BTreeMap::new();
        for file in &definition.env_files {
            let path = resolve(folder(own.file), &interpolate(file, self.given));
            for (key, value) in self.files.get(path.as_str()).copied().into_iter().flatten() {
                variables.insert(key, Some(value.clone()));
            }
        }
        for (key, value) in &definition.environment {
            let value = match value {
                Some(value) => Some(interpolate(value, self.given)),
                // Passed through from where Compose is started.
                None => self.given.get(key).cloned(),
            };
            variables.insert(key, value);
        }
        let mut found = Vec::new();
        for (key, value) in variables {
            match value {
                Some(value) => found.extend(address::in_value(key, &value)),
                None => found.extend(address::in_name(key).map(|host| Address {
                    host,
                    form: Form::Named,
                    kind: EdgeKind::Unspecified,
                })),
            }
        }
        for argument in &definition.arguments {
            found.extend(address::in_text(&interpolate(argument, self.given)));
        }
        found
    }

    fn target(&self, address: &Address, links: &BTreeMap<String, ServiceId>) -> Option<ServiceId> {
        match &address.host {
            Host::Name(name) => links.get(name).or_else(|| self.hosts.get(name)).cloned(),
            Host::Variable(name) => {
                let named = address::service_in_variable(name)?;
                let store = || self.stores.get(named.service.as_str()).cloned().flatten();
                let found = self.compact.get(&named.service).cloned().flatten().or_else(store)?;
                // Nobody shows the URL of a database to people.
                let called = !named.may_be_public || self.technologies.contains_key(&found);
                called.then_some(found)
            }
        }
    }
}

/// Whether a short port is published at a port that is known, on all interfaces.
fn is_published(port: &str) -> bool {
    let parts: Vec<&str> = port.split(':').collect();
    match parts.as_slice() {
        [] | [_] => false,
        [published, _] => !published.is_empty(),
        [host @ .., _, _] => {
            let host = host.join(":");
            !host.starts_with("127.") && !host.contains("::1") && host != "localhost"
        }
    }
}

/// Adds what a service gets from those it extends.
fn inherit<'a>(all: &[&'a Document<'_>], file: &str, root: &'a Value, service: &'a Value, into: &mut Definition) {
    let mut place = (file.to_owned(), root);
    let mut service = service;
    let mut seen = BTreeSet::new();
    for _ in 0..MAX_EXTENDS {
        let Some(extends) = service.get("extends") else { return };
        let Some(name) = extends.as_str().or_else(|| extends.get("service")?.as_str()) else {
            return;
        };
        if let Some(other) = extends.get("file").and_then(Value::as_str) {
            let path = resolve(folder(&place.0), other);
            let Some(document) = all.iter().find(|document| document.name == path) else {
                return;
            };
            let Some(value) = document.yaml().first() else { return };
            place = (path, value);
        }
        if !seen.insert((place.0.clone(), name.to_owned())) {
            return;
        }
        let Some(base) = place.1.get("services").and_then(|services| services.get(name)) else {
            return;
        };
        into.add_base(base);
        service = base;
    }
}

#[cfg(test)]
mod tests;
