//! Which branch deploys to which environment: from GitOps manifests, CI files and records of deployments. A source
//! is one file here and one line in [`SOURCES`].
//!
//! A branch that can't be told (a default branch, a pattern, an expression) is kept as unknown: with it, nobody can
//! say that a merge doesn't reach production.

mod argo;
mod events;
mod flux;
mod github;
mod gitlab;
pub(crate) mod names;

use holdpoint_schemas::SourceError;
use holdpoint_schemas::service::{Catalogue, Deployment, Service, ServiceId};
use std::collections::{BTreeMap, BTreeSet};

use super::document::{Content, Document};

/// What is deployed.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Target {
    /// Service, where the source names one.
    pub service: Option<ServiceId>,
    /// Repo that the branch is of, as short as `owner/name` where it is a URL. `None`: the repo that the source's
    /// file lies in.
    pub repo: Option<String>,
}

/// One source's statement that a branch is deployed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DeploymentClaim {
    /// What is deployed.
    pub target: Target,
    /// Environment name.
    pub environment: String,
    /// Branch; `None` where it can't be told: any may be.
    pub branch: Option<String>,
    /// File that says so.
    pub source: String,
}

/// What files say of deployments.
#[derive(Debug, Default)]
pub struct Deployments {
    /// Statements, sorted, each once.
    pub claims: Vec<DeploymentClaim>,
    /// Malformed files: what they say is missing.
    pub unreadable: Vec<SourceError>,
    /// What was left out, one line each, for people.
    pub skipped: Vec<String>,
}

impl Deployments {
    fn claim(&mut self, target: Target, environment: &str, branch: Option<&str>, source: &str) {
        self.claims.push(DeploymentClaim {
            target,
            environment: environment.trim().to_owned(),
            branch: branch.map(str::to_owned),
            source: source.to_owned(),
        });
    }

    fn skip(&mut self, file: &str, what: &str) {
        self.skipped.push(format!("{file}: {what}"));
    }
}

/// Reads all documents; takes what it knows.
type Source = fn(&[Document<'_>], &mut Deployments);

/// All sources.
const SOURCES: &[Source] = &[argo::read, flux::read, github::read, gitlab::read, events::read];

/// Reads what files, given as (path, content), say of deployments. Files that say nothing of them are passed over.
#[must_use]
pub fn read_deployments(files: &[(&str, &[u8])]) -> Deployments {
    let mut deployments = Deployments::default();
    let mut documents = Vec::new();
    for (name, bytes) in files {
        match Document::read(name, bytes) {
            Ok(document) => documents.push(document),
            Err(error) => deployments.unreadable.push(*error),
        }
    }
    documents.retain(|document| matches!(document.content, Content::Yaml(_) | Content::Json(_)));
    for read in SOURCES {
        read(&documents, &mut deployments);
    }
    deployments.claims.sort();
    deployments.claims.dedup();
    deployments.skipped.sort();
    deployments.skipped.dedup();
    deployments
}

/// Adds claims to the services that they are about: the one they name (unless it is known to lie in another repo), or
/// all that lie in the repo they name. A claim of no known branch makes a service's deployments unknown. Returns one
/// line for each claim that no service took, for people.
pub fn apply(catalogue: &mut Catalogue, claims: &[DeploymentClaim]) -> Vec<String> {
    let mut said: BTreeMap<usize, (BTreeSet<Deployment>, bool)> = BTreeMap::new();
    let mut left = Vec::new();
    for claim in claims {
        let mut taken = false;
        for (index, service) in catalogue.services.iter().enumerate() {
            if !is_about(claim, service) {
                continue;
            }
            taken = true;
            let (known, open) = said.entry(index).or_default();
            match &claim.branch {
                Some(branch) => {
                    known.insert(Deployment {
                        environment: claim.environment.clone(),
                        branch: branch.clone(),
                    });
                }
                None => *open = true,
            }
        }
        if !taken {
            left.push(format!(
                "{}: no service is deployed to `{}` by this",
                claim.source, claim.environment
            ));
        }
    }
    for (index, (mut known, open)) in said {
        let Some(service) = catalogue.services.get_mut(index) else {
            continue;
        };
        known.extend(service.deployments.take().into_iter().flatten());
        service.deployments = (!open).then(|| known.into_iter().collect());
    }
    left.sort();
    left.dedup();
    left
}

fn is_about(claim: &DeploymentClaim, service: &Service) -> bool {
    let repo = service.repo.as_deref().zip(claim.target.repo.as_deref());
    let same_repo = repo.map(|(one, other)| names::same_repo(one, other));
    match &claim.target.service {
        Some(id) => *id == service.id && same_repo != Some(false),
        None => same_repo == Some(true),
    }
}

#[cfg(test)]
mod tests;
