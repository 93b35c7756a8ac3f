//! Service catalogues in Backstage's form (`catalog-info.yaml`).

mod annotations;
mod entity;
mod reference;

use holdpoint_schemas::SourceError;
use holdpoint_schemas::service::{Catalogue, Edge, EdgeKind, NodeKind, Service, ServiceId};
use std::collections::{BTreeMap, BTreeSet};

use crate::error::{IntakeError, SourceResult};
use crate::estate::{at, read_yaml_documents};
use annotations::Annotations;
use entity::{Entity, Kind};
use reference::Reference;

/// Reads catalogue files, given as (name, text), into services and edges.
///
/// `Component` and `Resource` entities become services; an edge goes from the consumer to the
/// provider. A reference to what doesn't exist stays as an edge, so that the graph can say so.
/// What no annotation says is `None`: unknown.
///
/// # Errors
/// When a file is malformed, an annotation has a value that it can't have, or an entity is there
/// twice.
pub fn read_catalogue(files: &[(&str, &str)]) -> Result<Catalogue, IntakeError> {
    let mut builder = Builder::default();
    for (file, text) in files {
        for entity in read_yaml_documents::<Entity>(file, text)? {
            builder.add(file, text, entity)?;
        }
    }
    Ok(builder.finish())
}

/// One entity that edges begin at.
struct Known {
    id: ServiceId,
    kind: Kind,
    file: String,
    entity: Entity,
}

#[derive(Default)]
struct Builder {
    services: BTreeMap<ServiceId, Service>,
    known: Vec<Known>,
    /// API → how it is called, and the file that says so.
    apis: BTreeMap<ServiceId, (EdgeKind, String)>,
    /// Resources by kind of edge to them.
    resources: BTreeMap<ServiceId, EdgeKind>,
}

impl Builder {
    fn add(&mut self, file: &str, text: &str, entity: Entity) -> SourceResult<()> {
        let Some(kind) = entity.known_kind() else { return Ok(()) };
        let id = entity.id(file, text)?;
        match kind {
            Kind::System => {}
            Kind::Api => {
                let how = edge_kind_of_api(&entity.spec.kind);
                if let Some((_, other)) = self.apis.insert(id.clone(), (how, file.to_owned())) {
                    return Err(twice(file, text, &entity, "API", &id, &other));
                }
            }
            Kind::Component | Kind::Resource => {
                let service = service(file, text, kind, &id, &entity)?;
                if let Some(other) = self.services.insert(id.clone(), service) {
                    return Err(twice(file, text, &entity, "service", &id, &other.source));
                }
                if kind == Kind::Resource {
                    self.resources
                        .insert(id.clone(), edge_kind_of_resource(&entity.spec.kind));
                }
                self.known.push(Known {
                    id,
                    kind,
                    file: file.to_owned(),
                    entity,
                });
            }
        }
        Ok(())
    }

    fn finish(self) -> Catalogue {
        let providers = self.providers();
        let mut edges: BTreeMap<(ServiceId, ServiceId, EdgeKind), BTreeSet<String>> = BTreeMap::new();
        let mut add = |from: &ServiceId, to: &ServiceId, kind: EdgeKind, source: &str| {
            if from != to {
                edges
                    .entry((from.clone(), to.clone(), kind))
                    .or_default()
                    .insert(source.to_owned());
            }
        };
        for known in &self.known {
            let spec = &known.entity.spec;
            let own = |text: &str, kind: Kind| Reference::parse(text, kind, known.entity.namespace());
            let consumed = spec.consumes_apis.iter().map(|text| own(text, Kind::Api));
            let depended = spec.depends_on.iter().map(|text| own(text, Kind::Component));
            for target in consumed.chain(depended) {
                if target.kind == Kind::Api {
                    let how = self.apis.get(&target.id).map_or(EdgeKind::Unspecified, |(how, _)| *how);
                    match providers.get(&target.id) {
                        Some(providers) => providers.iter().for_each(|to| add(&known.id, to, how, &known.file)),
                        // Nobody provides it: the name shows what is missing.
                        None => add(&known.id, &ServiceId(format!("api:{}", target.id)), how, &known.file),
                    }
                } else {
                    add(&known.id, &target.id, self.kind_of_edge_to(&target.id), &known.file);
                }
            }
            for text in &spec.dependency_of {
                let consumer = own(text, Kind::Component);
                add(&consumer.id, &known.id, self.kind_of_edge_to(&known.id), &known.file);
            }
        }
        let edges = edges.into_iter().map(|((from, to, kind), sources)| {
            let sources = sources.into_iter().collect();
            Edge {
                from,
                to,
                kind,
                sources,
                basis: holdpoint_schemas::service::EdgeBasis::Declared,
            }
        });
        Catalogue {
            edges: edges.collect(),
            services: self.services.into_values().collect(),
            conflicts: Vec::new(),
        }
    }

    fn kind_of_edge_to(&self, id: &ServiceId) -> EdgeKind {
        self.resources.get(id).copied().unwrap_or(EdgeKind::Unspecified)
    }

    /// API → services that provide it.
    fn providers(&self) -> BTreeMap<ServiceId, BTreeSet<ServiceId>> {
        let mut providers: BTreeMap<ServiceId, BTreeSet<ServiceId>> = BTreeMap::new();
        for known in self.known.iter().filter(|known| known.kind == Kind::Component) {
            for text in &known.entity.spec.provides_apis {
                let api = Reference::parse(text, Kind::Api, known.entity.namespace()).id;
                providers.entry(api).or_default().insert(known.id.clone());
            }
        }
        providers
    }
}

fn service(file: &str, text: &str, kind: Kind, id: &ServiceId, entity: &Entity) -> SourceResult<Service> {
    let annotations = Annotations {
        file,
        text,
        values: &entity.metadata.annotations,
    };
    annotations.check_names()?;
    let external = annotations.yes_or_no("external")?.unwrap_or(false);
    let local = |reference: &String| Reference::parse(reference, Kind::System, "default").id.0;
    Ok(Service {
        id: id.clone(),
        name: entity
            .metadata
            .title
            .clone()
            .unwrap_or_else(|| entity.metadata.name.value.clone()),
        kind: match kind {
            _ if external => NodeKind::External,
            Kind::Resource => NodeKind::Resource,
            _ => NodeKind::Service,
        },
        system: entity.spec.system.as_ref().map(local),
        owner: entity.spec.owner.as_ref().map(local),
        tier: annotations.tier()?,
        customer_facing: annotations.yes_or_no("customer-facing")?,
        revenue_critical: annotations.yes_or_no("revenue-critical")?,
        data_classes: annotations.set("data-classes")?,
        compliance_scopes: annotations.set("compliance-scopes")?,
        repo: annotations.word("repo")?,
        path: annotations.path()?,
        deployments: annotations.deployments()?,
        iac_addresses: annotations.list("iac-addresses"),
        source: file.to_owned(),
        runtime: annotations.runtime()?,
    })
}

fn edge_kind_of_api(kind: &str) -> EdgeKind {
    match kind.to_ascii_lowercase().as_str() {
        "openapi" | "graphql" => EdgeKind::Http,
        "grpc" => EdgeKind::Grpc,
        "asyncapi" => EdgeKind::Event,
        _ => EdgeKind::Unspecified,
    }
}

fn edge_kind_of_resource(kind: &str) -> EdgeKind {
    if kind.eq_ignore_ascii_case("database") {
        EdgeKind::Database
    } else {
        EdgeKind::Unspecified
    }
}

fn twice(file: &str, text: &str, entity: &Entity, what: &str, id: &ServiceId, other: &str) -> Box<SourceError> {
    let error = SourceError::new(file, format!("the {what} `{id}` is also in `{other}`"));
    let error = error.help("give each its own name, or drop one: two descriptions could contradict each other");
    Box::new(at(error, text, entity.metadata.name.referenced))
}

#[cfg(test)]
mod tests;
