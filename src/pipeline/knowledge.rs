//! What is known about a finding, and what isn't: by finding, and over the whole estate.

use holdpoint_schemas::Timestamp;
use holdpoint_schemas::decision::{BoundKind, Decision};
use holdpoint_schemas::fact::{Action, FACTS, FactTable, FactValue};
use holdpoint_schemas::finding::RepoFinding;
use holdpoint_schemas::{Digest, Level};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

use super::plan::Pair;
use super::session::Session;

/// All facts about one finding with one candidate fix, or with none.
#[derive(Debug, Clone, Serialize)]
pub struct FindingFacts {
    /// Short id of the finding.
    pub id: String,
    /// The finding.
    pub finding: RepoFinding,
    /// Service that is decided on.
    pub service: String,
    /// The candidate fix, by id; `None` without one.
    pub fix: Option<Digest>,
    /// What the candidate says it does.
    pub fix_title: Option<String>,
    /// Level that is still possible before evidence.
    pub possible: Level,
    /// When these facts were collected.
    pub at: Timestamp,
    /// Every fact of the table but evidence and approvals, by family.
    pub facts: Vec<FactRow>,
}

/// One fact, known or not.
#[derive(Debug, Clone, Serialize)]
pub struct FactRow {
    /// Id.
    pub id: String,
    /// Value; `None` when it is unknown.
    pub value: Option<FactValue>,
    /// Who says so.
    pub source: Option<String>,
    /// Age in seconds; below zero when it is dated later.
    pub age_seconds: Option<i64>,
    /// Age in seconds from which on it counts as unknown; `None`: it doesn't go stale.
    pub ttl_seconds: Option<i64>,
    /// What a person needs to hear beside the value.
    pub note: Option<String>,
    /// Why it is unknown.
    pub why_unknown: Option<String>,
    /// Who or what could supply it, while it is unknown.
    pub resolver: Option<String>,
    /// Whether the estate's policies read it.
    pub read_by_policies: bool,
    /// What withholds a higher level because of it, by policy id.
    pub holds_back: Vec<String>,
}

/// A fact that nobody supplies, and what that costs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Missing {
    /// Id of the fact.
    pub id: String,
    /// What it says when it is known.
    pub doc: String,
    /// Findings that are held lower while it is unknown.
    pub findings: usize,
    /// Those of them that nothing else but it holds at their level.
    pub alone: usize,
    /// Services of those findings.
    pub services: BTreeSet<String>,
    /// Policies that hold them.
    pub policies: BTreeSet<String>,
    /// Why it isn't known; each reason once, the most frequent first.
    pub why: Vec<String>,
    /// Who or what could supply it.
    pub resolver: String,
}

/// What the estate doesn't know, ranked.
#[derive(Debug, Clone, Serialize)]
pub struct MissingReport {
    /// When the facts were collected.
    pub at: Timestamp,
    /// Findings looked at.
    pub findings: usize,
    /// Those that some unknown fact holds lower.
    pub held: usize,
    /// What to connect next, the most rewarding first.
    pub missing: Vec<Missing>,
}

impl FindingFacts {
    /// The facts of one pair, as its triage read them.
    #[must_use]
    pub fn of(session: &Session, pair: &Pair) -> Self {
        let decision = &pair.triage.decision;
        let table = &session.estate.facts;
        let mut read = session.estate.pack.facts_read(Action::Suggest);
        read.extend(session.estate.pack.facts_read(Action::AutoApply));
        // By family, in the order of the shipped table; an organisation's own come last.
        let order = |id: &str| FACTS.iter().position(|row| row.id == id).unwrap_or(usize::MAX);
        let mut shown: Vec<&'static str> = table
            .rows()
            .map(|row| row.id)
            .filter(|id| !id.starts_with("evidence.") && !id.starts_with("approval."))
            .collect();
        shown.sort_by_key(|id| (order(id), *id));
        Self {
            id: pair.finding.id(),
            finding: pair.finding.clone(),
            service: decision.service.to_string(),
            fix: pair.fix.as_ref().map(|fix| fix.id.clone()),
            fix_title: pair.fix.as_ref().map(|fix| fix.title.clone()),
            possible: decision.level,
            at: session.at,
            facts: shown
                .into_iter()
                .map(|id| fact_row(decision, table, id, read.contains(id)))
                .collect(),
        }
    }
}

fn fact_row(decision: &Decision, table: &FactTable, id: &str, read_by_policies: bool) -> FactRow {
    let fact = decision.facts.get(id);
    let unknown = decision.facts.unknown(table, id);
    let holds_back: BTreeSet<&String> = decision
        .bounds
        .iter()
        .filter(|bound| bound.facts.iter().any(|reading| reading.id == id))
        .map(|bound| &bound.id)
        .collect();
    FactRow {
        id: id.to_owned(),
        value: fact.map(|fact| fact.value.clone()),
        source: fact.map(|fact| fact.source.clone()),
        age_seconds: fact.map(|fact| decision.at.duration_since(fact.observed_at).as_secs()),
        ttl_seconds: table.row(id).and_then(|row| row.ttl_seconds),
        note: fact.and_then(|fact| fact.note.clone()),
        why_unknown: unknown.as_ref().map(|unknown| unknown.why.clone()),
        resolver: unknown.map(|unknown| unknown.resolver),
        read_by_policies,
        holds_back: holds_back.into_iter().cloned().collect(),
    }
}

/// Ranks what isn't known by how many findings it holds lower. Facts of a fix count only where there is
/// one: a finding without a fix lacks a fix, not knowledge.
#[must_use]
pub fn missing<'a>(
    at: Timestamp,
    table: &FactTable,
    decisions: impl Iterator<Item = (String, &'a Decision)>,
) -> MissingReport {
    let mut all: BTreeSet<String> = BTreeSet::new();
    let mut held: BTreeSet<String> = BTreeSet::new();
    let mut tallies: BTreeMap<String, Tally> = BTreeMap::new();
    for (finding, decision) in decisions {
        all.insert(finding.clone());
        let unknown_bounds = |bound: &&holdpoint_schemas::decision::Bound| bound.kind == BoundKind::UnknownFact;
        for bound in decision.bounds.iter().filter(unknown_bounds) {
            for unknown in &bound.unknowns {
                if unknown.id.starts_with("evidence.") || unknown.id.starts_with("approval.") {
                    continue;
                }
                held.insert(finding.clone());
                let tally = tallies.entry(unknown.id.clone()).or_default();
                tally.findings.insert(finding.clone());
                tally.services.insert(decision.service.to_string());
                tally.policies.insert(bound.id.clone());
                *tally.why.entry(unknown.why.clone()).or_default() += 1;
                let others = decision
                    .bounds
                    .iter()
                    .filter(|other| other.withholds == bound.withholds);
                if others.clone().all(|other| {
                    other.kind == BoundKind::UnknownFact && other.unknowns.iter().all(|one| one.id == unknown.id)
                }) {
                    tally.alone.insert(finding.clone());
                }
            }
        }
    }
    let mut missing: Vec<Missing> = tallies
        .into_iter()
        .map(|(id, tally)| tally.missing(table, id))
        .collect();
    missing.sort_by(|a, b| (b.findings, b.alone, &a.id).cmp(&(a.findings, a.alone, &b.id)));
    MissingReport {
        at,
        findings: all.len(),
        held: held.len(),
        missing,
    }
}

/// What one unknown fact costs, while it is counted.
#[derive(Default)]
struct Tally {
    findings: BTreeSet<String>,
    alone: BTreeSet<String>,
    services: BTreeSet<String>,
    policies: BTreeSet<String>,
    why: BTreeMap<String, usize>,
}

impl Tally {
    fn missing(self, table: &FactTable, id: String) -> Missing {
        let mut why: Vec<(String, usize)> = self.why.into_iter().collect();
        why.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        let row = table.row(&id);
        Missing {
            doc: row.map_or_else(String::new, |row| row.doc.to_owned()),
            resolver: row
                .map_or("no one: the fact table has no such fact", |row| row.resolver)
                .to_owned(),
            id,
            findings: self.findings.len(),
            alone: self.alone.len(),
            services: self.services,
            policies: self.policies,
            why: why.into_iter().map(|(why, _)| why).collect(),
        }
    }
}
