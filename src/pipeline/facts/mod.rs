//! Collectors: each fills one family of facts. What one can't tell stays unknown, with the reason.

mod change;
mod finding;
mod fix;
mod graph;
mod infrastructure;
mod operations;
mod org;
mod service;
#[cfg(test)]
mod tests;
mod time;

use holdpoint_schemas::Timestamp;
use holdpoint_schemas::control::Control;
use holdpoint_schemas::fact::{Fact, FactSet};
use holdpoint_schemas::finding::RepoFinding;
use holdpoint_schemas::fix::Fix;
use holdpoint_schemas::service::ServiceId;
use std::collections::BTreeSet;

use super::estate::Estate;
use super::history::History;
use super::mirror::Mirror;
use super::owners::Owners;
use super::repo_knowledge::{Answer, Callers, RepoKnowledge};

/// All that a collector may look at.
pub struct Moment<'a> {
    /// Estate.
    pub estate: &'a Estate,
    /// Mirror of the finding's repo, where it could be fetched.
    pub mirror: Option<&'a Mirror>,
    /// What the ledger holds.
    pub history: &'a History,
    /// Finding.
    pub finding: &'a RepoFinding,
    /// Candidate fix.
    pub fix: Option<&'a Fix>,
    /// Owners of what is touched.
    pub owners: &'a Owners<'a>,
    /// What was worked out of repos in this run.
    pub repo_knowledge: &'a RepoKnowledge,
    /// The injected clock.
    pub now: Timestamp,
}

/// A collector of one family.
type Collector = fn(&Moment<'_>, &mut FactSet);

/// Every collector. Adding a family touches its file and this table.
const COLLECTORS: &[Collector] = &[
    finding::collect,
    time::collect,
    service::collect,
    graph::collect,
    fix::collect,
    change::collect,
    operations::collect,
    infrastructure::collect,
    org::collect,
];

/// Collects all facts of this moment but evidence and approval.
pub fn collect(moment: &Moment<'_>) -> FactSet {
    let mut facts = FactSet::new();
    for collector in COLLECTORS {
        collector(moment, &mut facts);
    }
    facts
}

impl Moment<'_> {
    /// A fact observed now.
    fn fact<T>(&self, value: T, source: impl Into<String>, note: Option<String>) -> Fact<T> {
        Fact {
            value,
            source: source.into(),
            observed_at: self.now,
            note,
        }
    }

    /// Everything that can be affected if an owner breaks, without the owners.
    fn dependents(&self) -> BTreeSet<ServiceId> {
        let owners = &self.owners.services;
        let radii = owners
            .iter()
            .filter_map(|service| self.estate.graph.blast_radius(&service.id));
        radii
            .flat_map(|radius| radius.dependents)
            .map(|dependent| dependent.id)
            .filter(|id| owners.iter().all(|owner| owner.id != *id))
            .collect()
    }

    /// Claims that the repo itself makes on what is touched, or why they aren't known.
    fn derived_controls(&self) -> Result<Vec<Control>, String> {
        self.repo_knowledge.controls(self)
    }

    /// Code of the repo that uses what is touched, or why that isn't known.
    fn callers(&self) -> Result<Callers, String> {
        self.repo_knowledge.callers(self)
    }

    /// Whether the finding's vulnerable part is reached, or why that can't be asked.
    fn reach(&self) -> Result<Answer, String> {
        self.repo_knowledge.reach(self)
    }

    /// Paths that the fix touches, or the finding's own without one.
    fn paths(&self) -> Vec<&str> {
        touched_paths(self.finding, self.fix)
    }

    /// IaC addresses that the fix touches, and the finding's own.
    fn addresses(&self) -> Vec<&str> {
        touched_addresses(self.finding, self.fix)
    }

    /// Environments that a merge reaches through the owners' deployments, or why they aren't known.
    fn environments(&self) -> Result<Vec<(&str, &str)>, String> {
        if let Err(why) = self.estate.catalogue.known() {
            return Err(why.clone());
        }
        if self.owners.services.is_empty() {
            return Err("no catalogue entry owns what is touched".to_owned());
        }
        let mut reached = Vec::new();
        for service in &self.owners.services {
            let deployments = service
                .deployments
                .as_ref()
                .ok_or_else(|| format!("`{}` doesn't say where its branches are deployed", service.id))?;
            reached.extend(
                deployments
                    .iter()
                    .filter(|deployment| deployment.branch == self.finding.branch)
                    .map(|deployment| (service.id.as_str(), deployment.environment.as_str())),
            );
        }
        Ok(reached)
    }
}

/// Paths that a fix touches, or the finding's own without one.
pub fn touched_paths<'a>(finding: &'a RepoFinding, fix: Option<&'a Fix>) -> Vec<&'a str> {
    match fix {
        Some(fix) => fix.files.iter().map(|file| file.path.as_str()).collect(),
        None => finding
            .finding
            .location
            .iter()
            .map(|location| location.path.as_str())
            .collect(),
    }
}

/// IaC addresses that a fix touches, and the finding's own.
pub fn touched_addresses<'a>(finding: &'a RepoFinding, fix: Option<&'a Fix>) -> Vec<&'a str> {
    let mut addresses: Vec<&str> = finding.finding.iac_address.iter().map(String::as_str).collect();
    if let Some(fix) = fix {
        addresses.extend(
            fix.classification
                .iac_addresses
                .iter()
                .chain(&fix.classification.iac_removed)
                .map(String::as_str),
        );
    }
    addresses.sort_unstable();
    addresses.dedup();
    addresses
}

/// Facts without evidence: the engine adds that itself.
pub fn without_evidence(facts: &FactSet) -> FactSet {
    let mut kept = FactSet::new();
    for (id, fact) in facts.known().filter(|(id, _)| !id.starts_with("evidence.")) {
        kept.insert(id, fact.clone());
    }
    kept
}
