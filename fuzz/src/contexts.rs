//! The service graph, deployments, owners.

use holdpoint_intake::activity::{CodeOwners, Flavour};
use holdpoint_intake::catalogue::read_catalogue;
use holdpoint_intake::topology::deployments::{self, read_deployments};
use holdpoint_intake::topology::{Authority, Part, merge, read_topology};

use crate::input::{files, texts};
use crate::oracle::{helpful, prints_alike, twice};

/// Compose files and their `.env`.
pub fn compose(data: &[u8]) {
    topology(data, "compose.yaml");
}

/// Kubernetes manifests.
pub fn kubernetes(data: &[u8]) {
    topology(data, "manifests.yaml");
}

/// Kiali's graph.
pub fn kiali(data: &[u8]) {
    topology(data, "kiali.json");
}

/// Jaeger's dependencies.
pub fn jaeger(data: &[u8]) {
    topology(data, "dependencies.json");
}

/// OpenTelemetry's service graph and traces.
pub fn otlp(data: &[u8]) {
    topology(data, "traces.json");
}

/// Terraform state and plan.
pub fn terraform(data: &[u8]) {
    topology(data, "terraform.tfstate");
}

/// Our own `services.yaml`.
pub fn services(data: &[u8]) {
    topology(data, "services.yaml");
}

/// Backstage's catalogue, also on its own.
pub fn backstage(data: &[u8]) {
    topology(data, "catalog-info.yaml");
    let texts = texts(data, "catalog-info.yaml");
    let read = twice(|| {
        read_catalogue(&texts).map_err(|error| {
            if let Some(error) = error.source_error() {
                helpful(error);
            }
            error.to_string()
        })
    });
    if let Ok(catalogue) = read {
        let mut with = catalogue;
        deployments::apply(&mut with, &read_deployments(&files(data, "catalog-info.yaml")).claims);
    }
}

fn topology(data: &[u8], name: &str) {
    let files = files(data, name);
    let topology = prints_alike(|| read_topology(&files));
    let errors = topology.unknown.iter().chain(&topology.unreadable);
    errors.for_each(helpful);
    let merged = merge(topology.parts.clone());
    let mut turned = topology.parts;
    turned.reverse();
    assert!(merged == merge(turned), "the order of the files changes the graph");
    let part = Part {
        format: "merged",
        authority: Authority::Catalogue,
        catalogue: merged.clone(),
    };
    let again = merge(vec![part]);
    assert!(
        again.services.len() == merged.services.len() && again.edges == merged.edges,
        "merging what is merged changes it"
    );
}

/// GitOps manifests, CI files, records of deployments.
pub fn deployments(data: &[u8]) {
    let files = files(data, ".github/workflows/deploy.yml");
    let read = prints_alike(|| read_deployments(&files));
    read.unreadable.iter().for_each(helpful);
}

/// `CODEOWNERS`.
pub fn codeowners(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    for flavour in [Flavour::GitHub, Flavour::GitLab] {
        prints_alike(|| {
            let owners = CodeOwners::parse(text, flavour)?;
            let of = ["src/main.rs", "docs/", "a b/[x].tf", ""].map(|path| owners.owners(path));
            Ok::<_, String>((of, owners.skipped))
        })
        .ok();
    }
}
