//! The decisions on record: the ledger's and the last run's.

use anyhow::Result;
use holdpoint_ledger::{Ledger, Verification};
use holdpoint_schemas::decision::Decision;
use holdpoint_schemas::finding::RepoFinding;
use std::collections::BTreeMap;

use crate::failure::BadInput;
use crate::pipeline::record::{DECISION, FINDING};
use crate::pipeline::report::RunReport;

/// A decision on record.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// The decision.
    pub decision: Decision,
    /// Short id of its finding; the fingerprint where the finding isn't on record.
    pub id: String,
    /// What was found.
    pub title: String,
}

/// The newest decision for each repo, branch, finding and fix, in that order. `only` keeps those
/// whose finding's id begins with one of these; empty keeps all.
///
/// # Errors
/// When the ledger doesn't verify, holds something else, or nothing is on record under such an id.
pub fn recorded(ledger: &Ledger, last_run: Option<&RunReport>, only: &[String]) -> Result<Vec<Recorded>> {
    if let Verification::Tampered { problems } = ledger.verify(None)? {
        return Err(BadInput::new(
            format!("the ledger doesn't verify: {}", problems.join("; ")),
            "look at it with `holdpoint ledger verify`, and restore it from a copy",
        )
        .into());
    }
    let mut findings: BTreeMap<(String, String, String), (String, String)> = BTreeMap::new();
    let mut note = |finding: &RepoFinding| {
        let key = (
            finding.repo.clone(),
            finding.branch.clone(),
            finding.finding.fingerprint.to_string(),
        );
        findings.insert(key, (finding.id(), finding.finding.title.clone()));
    };
    for entry in ledger.entries(Some(FINDING))? {
        note(&parse(&entry.kind, entry.body)?);
    }
    let mut decisions: Vec<Decision> = Vec::new();
    for entry in ledger.entries(Some(DECISION))? {
        decisions.push(parse(&entry.kind, entry.body)?);
    }
    for item in last_run.iter().flat_map(|report| &report.items) {
        note(&item.finding);
        decisions.push(item.decision.clone());
    }
    let mut newest = BTreeMap::new();
    for decision in decisions {
        let key = (
            decision.repo.clone(),
            decision.branch.clone(),
            decision.finding.to_string(),
            decision.fix.clone(),
        );
        match newest.get(&key) {
            // Of two at the same moment, the later entry: the ledger is in order.
            Some(Decision { at, .. }) if *at > decision.at => {}
            _ => drop(newest.insert(key, decision)),
        }
    }
    let all = newest.into_iter().map(|((repo, branch, fingerprint, _), decision)| {
        let found = findings.get(&(repo, branch, fingerprint.clone())).cloned();
        let (id, title) = found.unwrap_or((fingerprint, String::new()));
        Recorded { decision, id, title }
    });
    chosen(all.collect(), only)
}

fn chosen(all: Vec<Recorded>, only: &[String]) -> Result<Vec<Recorded>> {
    if let Some(wanted) = only
        .iter()
        .find(|wanted| !all.iter().any(|one| one.id.starts_with(wanted.as_str())))
    {
        return Err(BadInput::new(
            format!("no decision on a finding `{wanted}` is on record"),
            "the table of the last run shows the ids",
        )
        .into());
    }
    let is_wanted = |one: &Recorded| only.is_empty() || only.iter().any(|wanted| one.id.starts_with(wanted.as_str()));
    Ok(all.into_iter().filter(is_wanted).collect())
}

fn parse<T: serde::de::DeserializeOwned>(kind: &str, body: serde_json::Value) -> Result<T> {
    serde_json::from_value(body).map_err(|error| {
        BadInput::new(
            format!("the ledger holds a `{kind}` entry of another form: {error}"),
            "use the version of holdpoint that wrote it",
        )
        .into()
    })
}
