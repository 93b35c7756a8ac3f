//! `services.yaml`, Holdpoint's own short form for those who keep no catalogue:
//!
//! ```yaml
//! services:
//!   checkout:
//!     name: Checkout            # for people
//!     kind: service             # or resource, external
//!     owner: shop-team
//!     system: shop
//!     tier: 0                   # 0 (most critical) to 3
//!     customer-facing: true
//!     revenue-critical: true
//!     internet-facing: true
//!     data-classes: [cardholder]
//!     compliance-scopes: [pci-dss]
//!     repo: checkout
//!     path: services/checkout
//!     deployments: {production: main, staging: [develop]}
//!     replicas: 2
//!     update-strategy: rolling  # or recreate
//!     images: [registry.example/checkout]
//!     packages: [pkg:npm/%40shop/checkout]
//!     addresses: [checkout.shop.example]
//!     iac-addresses: [aws_ecs_service.checkout]
//!     uses: [cart, {id: orders-db, kind: database}]
//! ```
//!
//! Everything but the id may be left out; what is left out is unknown. A service that is deployed nowhere says so:
//! `deployments: none`; with an empty map, or a branch that isn't a plain name, its deployments are unknown.

use holdpoint_schemas::SourceError;
use holdpoint_schemas::service::{Deployment, EdgeKind, NodeKind, ServiceRuntime, UpdateStrategy};
use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

use super::Topology;
use super::deployments::names::plain_branch;
use super::document::{Document, base};
use super::part::{Authority, PartBuilder, id};
use crate::error::SourceResult;
use crate::estate::read_export;

pub const ID: &str = "services";
/// Fields that no other file with `services` has; one of them is enough to tell.
const OWN: [&str; 6] = [
    "uses",
    "tier",
    "owner",
    "customer-facing",
    "data-classes",
    "iac-addresses",
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    services: BTreeMap<String, Option<Entry>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct Entry {
    name: Option<String>,
    kind: Option<NodeKind>,
    owner: Option<String>,
    system: Option<String>,
    tier: Option<u8>,
    customer_facing: Option<bool>,
    revenue_critical: Option<bool>,
    internet_facing: Option<bool>,
    data_classes: Option<BTreeSet<String>>,
    compliance_scopes: Option<BTreeSet<String>>,
    repo: Option<String>,
    path: String,
    deployments: Option<Deployed>,
    replicas: Option<u32>,
    update_strategy: Option<UpdateStrategy>,
    images: Vec<String>,
    packages: Vec<String>,
    addresses: Vec<String>,
    iac_addresses: Vec<String>,
    uses: Vec<Use>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Deployed {
    /// `none`.
    Word(String),
    By(BTreeMap<String, Branches>),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Branches {
    One(String),
    Many(Vec<String>),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Use {
    Id(String),
    Typed { id: String, kind: EdgeKind },
}

pub fn detect(document: &Document<'_>) -> bool {
    document.yaml().iter().any(|value| is_own(document.name, value))
}

/// Whether `services` are in our form: named for it, or with fields that only we have.
pub fn is_own(name: &str, value: &Value) -> bool {
    let Some(services) = value.get("services").and_then(Value::as_object) else {
        return false;
    };
    let named = matches!(base(name), "services.yaml" | "services.yml");
    let has = |keys: &[&str]| {
        services
            .values()
            .filter_map(Value::as_object)
            .any(|service| keys.iter().any(|key| service.contains_key(*key)))
    };
    !has(&[
        "image",
        "build",
        "command",
        "environment",
        "depends_on",
        "ports",
        "extends",
    ]) && (named || has(&OWN))
}

pub fn read(documents: &[&Document<'_>], topology: &mut Topology) {
    for document in documents {
        let mut part = PartBuilder::new(ID, Authority::Catalogue);
        match read_file(document, &mut part) {
            Ok(()) => topology.add(part),
            Err(error) => topology.unreadable.push(*error),
        }
    }
}

fn read_file(document: &Document<'_>, part: &mut PartBuilder) -> SourceResult<()> {
    let file: File = read_export(document.name, document.text)?;
    let wrong = |message: String, help: &str| Err(Box::new(SourceError::new(document.name, message).help(help)));
    for (key, entry) in file.services {
        let Some(own) = id(&key) else {
            return wrong(
                format!("`{key}` can't be a service's id"),
                "write a short name in lower case",
            );
        };
        if part.has(&own) {
            return wrong(
                format!("the service `{own}` is there twice"),
                "ids are compared without case: drop one",
            );
        }
        let entry = entry.unwrap_or_default();
        if entry.tier.is_some_and(|tier| tier > 3) {
            return wrong(
                format!("`{own}` has a tier that isn't there"),
                "write 0 (most critical), 1, 2 or 3",
            );
        }
        let lower = |words: Option<BTreeSet<String>>| {
            words.map(|words| words.iter().map(|word| word.to_lowercase()).collect::<BTreeSet<_>>())
        };
        for used in &entry.uses {
            let (to, kind) = match used {
                Use::Id(to) => (to, EdgeKind::Unspecified),
                Use::Typed { id, kind } => (id, *kind),
            };
            let Some(to) = id(to) else {
                return wrong(
                    format!("`{own}` uses `{to}`, which can't be an id"),
                    "write the id of a service",
                );
            };
            part.edge(&own, &to, kind, document.name);
        }
        let deployments = match entry.deployments {
            Some(Deployed::Word(word)) if word.trim() == "none" => Some(Vec::new()),
            Some(Deployed::Word(word)) => {
                return wrong(
                    format!("`{own}` is deployed to `{word}`, which says no branch"),
                    "write `{production: main}`, or `none` where it is deployed nowhere",
                );
            }
            Some(Deployed::By(branches)) => deployments(branches),
            None => None,
        };
        let service = part.node(&own, document.name);
        service.name = entry.name.unwrap_or(key);
        service.kind = entry.kind.unwrap_or(NodeKind::Service);
        service.owner = entry.owner;
        service.system = entry.system;
        service.tier = entry.tier;
        service.customer_facing = entry.customer_facing;
        service.revenue_critical = entry.revenue_critical;
        service.data_classes = lower(entry.data_classes);
        service.compliance_scopes = lower(entry.compliance_scopes);
        service.repo = entry.repo;
        service.path = entry.path;
        service.deployments = deployments;
        service.iac_addresses = entry.iac_addresses;
        service.runtime = ServiceRuntime {
            internet_facing: entry.internet_facing,
            replicas: entry.replicas,
            update_strategy: entry.update_strategy,
            images: entry.images,
            packages: entry.packages,
            addresses: entry.addresses.iter().map(|address| address.to_lowercase()).collect(),
        };
    }
    Ok(())
}

/// `None` where a branch or an environment can't be told: any branch may reach production.
fn deployments(by_environment: BTreeMap<String, Branches>) -> Option<Vec<Deployment>> {
    let mut all = Vec::new();
    for (environment, branches) in by_environment {
        let branches = match branches {
            Branches::One(branch) => vec![branch],
            Branches::Many(branches) => branches,
        };
        let environment = environment.trim();
        if environment.is_empty() || branches.is_empty() {
            return None;
        }
        for branch in branches {
            all.push(Deployment {
                environment: environment.to_owned(),
                branch: plain_branch(&branch)?.to_owned(),
            });
        }
    }
    (!all.is_empty()).then_some(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(deployments: &str) -> Option<Vec<(String, String)>> {
        let text = format!("services:\n  lab: {{tier: 3, deployments: {deployments}}}\n");
        let topology = super::super::read_topology(&[("services.yaml", text.as_bytes())]);
        let service = &topology.parts[0].catalogue.services[0];
        let pairs = |all: &Vec<Deployment>| all.iter().map(|d| (d.environment.clone(), d.branch.clone())).collect();
        service.deployments.as_ref().map(pairs)
    }

    #[test]
    fn a_branch_that_is_not_plain_makes_deployments_unknown() {
        let one = Some(vec![("production".to_owned(), "main".to_owned())]);
        assert_eq!(read("{production: main}"), one);
        assert_eq!(read("{' production ': ' refs/heads/main '}"), one);
        assert_eq!(read("none"), Some(Vec::new()));
        for unknown in [
            "{}",
            "{production: 'ma*'}",
            "{production: HEAD}",
            "{production: ''}",
            "{production: []}",
        ] {
            assert_eq!(read(unknown), None, "{unknown}");
        }
    }
}
