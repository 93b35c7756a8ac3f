//! What is to be done in one round of a run: findings, fixes, facts and triage.

use anyhow::{Context, Result};
use holdpoint_engine::decide::{self, Question, Triage};
use holdpoint_schemas::evidence::Check;
use holdpoint_schemas::finding::RepoFinding;
use holdpoint_schemas::fix::Fix;
use holdpoint_schemas::{Digest, Level, SourceError};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::act;
use super::candidates;
use super::findings::{self, Gathered, as_problem};
use super::record::{FIX, History, Recorder};
use super::report::{Outcome, ReportItem};
use super::rollout::tonight::Tonight;
use super::session::Session;
use super::validation::{self, Asked, Job};

/// One (fix, finding) pair on its way.
#[derive(Debug, Clone)]
pub struct Pair {
    /// Finding.
    pub finding: RepoFinding,
    /// Candidate fix.
    pub fix: Option<Fix>,
    /// What is still possible, and which checks decide it.
    pub triage: Triage,
}

/// What is to be done in one round.
pub struct Plan {
    /// Findings.
    pub gathered: Gathered,
    /// Candidates that can't be used.
    pub refused: Vec<SourceError>,
    /// Pairs to decide on.
    pub pairs: Vec<Pair>,
    /// Fixes to validate.
    pub jobs: BTreeMap<Digest, Job>,
    /// Fixes that triage holds at alert; run only to compare with a CI-only tool.
    pub comparisons: BTreeMap<Digest, Job>,
    /// Findings to act on; the others are decided only because a fix of these resolves them too.
    pub wanted: BTreeSet<String>,
    /// Tonight's order, and for what there is no room.
    pub tonight: Tonight,
    /// What the ledger held before the run.
    pub history: History,
    /// Findings whose fix is merged.
    pub settled: BTreeMap<String, ReportItem>,
}

/// A fix that is to be validated.
pub struct Wanted<'a> {
    /// The fix.
    pub fix: &'a Fix,
    /// The findings that it resolves, at least one.
    pub resolved: &'a [&'a RepoFinding],
    /// What can still change the decision.
    pub checks: &'a BTreeSet<Check>,
    /// How far it may go.
    pub reach: Level,
}

impl Plan {
    /// Fixes to validate, in tonight's order.
    pub fn jobs_in_order(&self) -> Vec<(&Digest, &Job)> {
        let mut jobs: Vec<_> = self.jobs.iter().collect();
        jobs.sort_by_key(|(fix, _)| self.tonight.rank(Some(fix)));
        jobs
    }
}

impl Session {
    /// Findings, fixes, facts and triage.
    ///
    /// # Errors
    /// When the ledger can't be written or a decision can't be made.
    pub fn plan(mut self, only: &[String], agent: &Path) -> Result<(Self, Plan)> {
        act::settle_intents(&mut self)?;
        let history = History::read(&self.ledger)?;
        self.stand(&history);
        let mut recorder = Recorder::new(&mut self.ledger, &mut self.written, self.at)?;
        let mut gathered = findings::gather(&self.estate, &self.mirrors, &history, &mut recorder)?;
        let candidates = candidates::read(&self.estate, &self.mirrors, &gathered.findings, &history)?;
        recorder.append_new(FIX, &candidates.fixes)?;
        let settled = self.settled(&history, &candidates.fixes, only)?;
        let wanted = scope(&mut gathered.findings, &candidates.fixes, &history, |id| {
            is_wanted(only, id) && !settled.contains_key(id)
        });

        let mut pairs = Vec::new();
        for finding in gathered.findings.values() {
            let resolves = |fix: &&Fix| {
                fix.repo == finding.repo
                    && fix.target_branch == finding.branch
                    && fix.resolves.contains(&finding.finding.fingerprint)
            };
            let mut fixes: Vec<Option<&Fix>> = candidates.fixes.iter().filter(resolves).map(Some).collect();
            if fixes.is_empty() {
                fixes.push(None);
            }
            for fix in fixes {
                let (facts, service) = self.facts(&history, finding, fix);
                let caps = self.caps(finding, fix, &facts);
                let question = Question {
                    finding,
                    service: &service,
                    fix,
                    facts: &facts,
                    evidence: None,
                    rollout: &self.standing.effective,
                    caps: &caps,
                    now: self.at,
                };
                self.asked.note(&question)?;
                let triage = decide::triage(&self.estate.pack, &question)?;
                pairs.push(Pair {
                    finding: finding.clone(),
                    fix: fix.cloned(),
                    triage,
                });
            }
        }
        let tonight = self.within_tonights_budget(&history, &mut pairs)?;
        let mut checks: BTreeMap<Digest, BTreeSet<Check>> = BTreeMap::new();
        for pair in &pairs {
            if let Some(fix) = &pair.fix {
                checks.entry(fix.id.clone()).or_default().extend(&pair.triage.checks);
            }
        }
        let mut refused = candidates.problems;
        let mut jobs = BTreeMap::new();
        let mut comparisons = BTreeMap::new();
        for pair in &pairs {
            let Some(fix) = &pair.fix else { continue };
            if !self.mirrors.contains_key(&fix.repo) {
                continue;
            }
            let mut checks = checks.get(&fix.id).cloned().unwrap_or_default();
            let is_alert = |other: &Pair| {
                other.fix.as_ref().is_none_or(|other| other.id != fix.id) || other.triage.decision.level == Level::Alert
            };
            let held = pairs.iter().all(is_alert);
            if !held {
                // Whatever a pack asks for: nothing is proposed or merged that wasn't built and tested.
                checks.extend([Check::Build, Check::Test]);
            }
            let target = if held { &mut comparisons } else { &mut jobs };
            if !target.contains_key(&fix.id) {
                let is_resolved = |finding: &&RepoFinding| {
                    finding.repo == fix.repo
                        && finding.branch == fix.target_branch
                        && fix.resolves.contains(&finding.finding.fingerprint)
                };
                let resolved: Vec<&RepoFinding> = gathered.findings.values().filter(is_resolved).collect();
                let of_fix = |other: &&Pair| other.fix.as_ref().is_some_and(|other| other.id == fix.id);
                let levels = pairs.iter().filter(of_fix).map(|other| other.triage.decision.level);
                let reach = levels.max().unwrap_or(Level::Alert);
                let wanted = Wanted {
                    fix,
                    resolved: &resolved,
                    checks: &checks,
                    reach,
                };
                match self.job(&history, &wanted, agent) {
                    Ok(job) => {
                        target.insert(fix.id.clone(), job);
                    }
                    Err(error) => refused.push(as_problem(&format!("{}@{}", fix.repo, fix.target_branch), &error)),
                }
            }
        }
        let plan = Plan {
            gathered,
            refused,
            pairs,
            jobs,
            comparisons,
            wanted,
            tonight,
            history,
            settled,
        };
        Ok((self, plan))
    }

    /// What a fix needs in the sandbox.
    ///
    /// # Errors
    /// When a tree can't be exported, or the repo's own settings can't be read.
    pub fn job(&self, history: &History, wanted: &Wanted<'_>, agent: &Path) -> Result<Job> {
        let Wanted { fix, resolved, .. } = *wanted;
        let mirror = (self.mirrors.get(&fix.repo)).with_context(|| format!("the repo `{}` has no mirror", fix.repo))?;
        let finding = resolved.first().context("a fix that resolves nothing")?;
        let owners = self.owners(finding, Some(fix));
        let asked = Asked {
            checks: wanted.checks,
            scrutiny: self.scrutiny(history, finding, fix, &owners, wanted.reach),
            at: self.at,
        };
        validation::prepare(&self.estate, mirror, fix, resolved, &owners, asked, agent)
    }

    /// Findings whose fix is merged: the recorded decision is replayed, nothing is done again.
    fn settled(&self, history: &History, fixes: &[Fix], only: &[String]) -> Result<BTreeMap<String, ReportItem>> {
        let mut settled = BTreeMap::new();
        for merge in history.merges.values() {
            let Some(fix) = history
                .fixes
                .get(&merge.fix)
                .or_else(|| fixes.iter().find(|fix| fix.id == merge.fix))
            else {
                continue;
            };
            for finding in history.findings.values() {
                let id = finding.id();
                let is_resolved = finding.repo == fix.repo
                    && finding.branch == fix.target_branch
                    && fix.resolves.contains(&finding.finding.fingerprint);
                let Some(recorded) = history
                    .decisions
                    .get(&id)
                    .filter(|_| is_resolved && is_wanted(only, &id))
                else {
                    continue;
                };
                let evidence = history
                    .evidence
                    .values()
                    .find(|record| recorded.inputs.evidence == Digest::of_json(&record.evidence).ok())
                    .cloned();
                // As it was decided: what the lane may do by now is about other fixes.
                let decision = recorded.clone();
                let outcome = Outcome::AlreadyMerged {
                    commit: merge.commit.clone(),
                };
                settled.insert(id, self.item(finding, Some(fix), decision, evidence, None, outcome));
            }
        }
        Ok(settled)
    }
}

/// Adds to `findings` those of the ledger that a candidate resolves though no report that could be
/// read has them, keeps those that share a fix with a wanted one, and returns the wanted ones: a
/// fix takes the lowest level of *all* that it resolves, whatever a run is asked for.
fn scope(
    findings: &mut BTreeMap<String, RepoFinding>,
    fixes: &[Fix],
    history: &History,
    is_wanted: impl Fn(&str) -> bool,
) -> BTreeSet<String> {
    let wanted: BTreeSet<String> = findings.keys().filter(|id| is_wanted(id)).cloned().collect();
    let mut kept = wanted.clone();
    for fix in fixes {
        let is_resolved = |entry: &(&String, &RepoFinding)| {
            entry.1.repo == fix.repo
                && entry.1.branch == fix.target_branch
                && fix.resolves.contains(&entry.1.finding.fingerprint)
        };
        let resolved: BTreeSet<String> = findings.iter().filter(is_resolved).map(|(id, _)| id.clone()).collect();
        if resolved.is_disjoint(&wanted) {
            continue;
        }
        kept.extend(resolved);
        for (id, finding) in history.findings.iter().filter(is_resolved) {
            kept.insert(id.clone());
            findings.entry(id.clone()).or_insert_with(|| finding.clone());
        }
    }
    findings.retain(|id, _| kept.contains(id));
    wanted
}

fn is_wanted(only: &[String], id: &str) -> bool {
    only.is_empty() || only.iter().any(|wanted| id.starts_with(wanted.as_str()))
}
