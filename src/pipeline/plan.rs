//! What is to be done in one round of a run: findings, fixes, facts and triage.

use anyhow::{Context, Result};
use holdpoint_engine::decide::{self, Question, Triage};
use holdpoint_schemas::evidence::{Check, EvidenceRecord};
use holdpoint_schemas::finding::{Fingerprint, RepoFinding, finding_id};
use holdpoint_schemas::fix::Fix;
use holdpoint_schemas::{Digest, Level, SourceError};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use super::act;
use super::candidates;
use super::findings::{self, Gathered, as_problem};
use super::history::History;
use super::record::{FIX, Recorder};
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
    pub history: Arc<History>,
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

/// Jobs by fix.
#[derive(Default)]
struct Jobs {
    jobs: BTreeMap<Digest, Job>,
    comparisons: BTreeMap<Digest, Job>,
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
        let history = self.history()?;
        self.stand(&history);
        let mut recorder = Recorder::new(&mut self.ledger, &mut self.memory.written, self.role, self.at);
        let mut gathered = findings::gather(&self.estate, &self.mirrors, &history, &mut recorder)?;
        let candidates = candidates::read(&self.estate, &self.mirrors, &gathered.findings, &history)?;
        recorder.append_new(FIX, &candidates.fixes)?;
        let settled = self.settled(&history, &candidates.fixes, only)?;
        let wanted = scope(&mut gathered.findings, &candidates.fixes, &history, |id| {
            is_wanted(only, id) && !settled.contains_key(id)
        });

        let mut by_finding: BTreeMap<(&str, &str, &Fingerprint), Vec<&Fix>> = BTreeMap::new();
        for fix in &candidates.fixes {
            for fingerprint in fix.resolves.iter().collect::<BTreeSet<_>>() {
                let place = (fix.repo.as_str(), fix.target_branch.as_str(), fingerprint);
                by_finding.entry(place).or_default().push(fix);
            }
        }
        let mut pairs = Vec::new();
        for finding in gathered.findings.values() {
            let place = (
                finding.repo.as_str(),
                finding.branch.as_str(),
                &finding.finding.fingerprint,
            );
            let fixes: Vec<Option<&Fix>> = match by_finding.get(&place) {
                Some(fixes) => fixes.iter().copied().map(Some).collect(),
                None => vec![None],
            };
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
        let mut refused = candidates.problems;
        let Jobs { jobs, comparisons } = self.jobs(&history, &gathered, &pairs, agent, &mut refused);
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

    /// What the fixes need in the sandbox; what can't be made ready is refused.
    fn jobs(
        &self,
        history: &History,
        gathered: &Gathered,
        pairs: &[Pair],
        agent: &Path,
        refused: &mut Vec<SourceError>,
    ) -> Jobs {
        let mut fixes: BTreeMap<&Digest, (&Fix, BTreeSet<Check>, Level)> = BTreeMap::new();
        for pair in pairs {
            let Some(fix) = &pair.fix else { continue };
            let (_, checks, reach) = fixes.entry(&fix.id).or_insert((fix, BTreeSet::new(), Level::Alert));
            checks.extend(&pair.triage.checks);
            *reach = (*reach).max(pair.triage.decision.level);
        }
        let mut made = Jobs::default();
        for (id, (fix, mut checks, reach)) in fixes {
            if !self.mirrors.contains_key(&fix.repo) {
                continue;
            }
            let held = reach == Level::Alert;
            if !held {
                // Whatever a pack asks for: nothing is proposed or merged that wasn't built and tested.
                checks.extend([Check::Build, Check::Test]);
            }
            let resolved: Vec<&RepoFinding> = resolved(fix, &gathered.findings).collect();
            let wanted = Wanted {
                fix,
                resolved: &resolved,
                checks: &checks,
                reach,
            };
            match self.job(history, &wanted, agent) {
                Ok(job) => {
                    let target = if held { &mut made.comparisons } else { &mut made.jobs };
                    target.insert(id.clone(), job);
                }
                Err(error) => refused.push(as_problem(&format!("{}@{}", fix.repo, fix.target_branch), &error)),
            }
        }
        made
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
        if history.merges.is_empty() {
            return Ok(settled);
        }
        let by_digest = |record: &'_ EvidenceRecord| Digest::of_json(&record.evidence).ok();
        let evidence: BTreeMap<Option<Digest>, &EvidenceRecord> = history
            .evidence
            .values()
            .map(|record| (by_digest(record), record))
            .collect();
        for merge in history.merges.values() {
            let Some(fix) = history
                .fixes
                .get(&merge.fix)
                .or_else(|| fixes.iter().find(|fix| fix.id == merge.fix))
            else {
                continue;
            };
            for finding in resolved(fix, &history.findings) {
                let id = finding.id();
                let Some(recorded) = history.decisions.get(&id).filter(|_| is_wanted(only, &id)) else {
                    continue;
                };
                let of_decision = (recorded.inputs.evidence.as_ref())
                    .and_then(|digest| evidence.get(&Some(digest.clone())))
                    .map(|record| (*record).clone());
                // As it was decided: what the lane may do by now is about other fixes.
                let decision = recorded.clone();
                let outcome = Outcome::AlreadyMerged {
                    commit: merge.commit.clone(),
                };
                settled.insert(id, self.item(finding, Some(fix), decision, of_decision, None, outcome));
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
        let own: BTreeSet<String> = resolved(fix, findings).map(RepoFinding::id).collect();
        if own.is_disjoint(&wanted) {
            continue;
        }
        kept.extend(own);
        for finding in resolved(fix, &history.findings) {
            kept.insert(finding.id());
            findings.entry(finding.id()).or_insert_with(|| finding.clone());
        }
    }
    findings.retain(|id, _| kept.contains(id));
    wanted
}

/// Those of some findings, by id, that a fix resolves.
fn resolved<'f>(
    fix: &'f Fix,
    findings: &'f BTreeMap<String, RepoFinding>,
) -> impl Iterator<Item = &'f RepoFinding> + use<'f> {
    let ids: BTreeSet<String> = (fix.resolves.iter())
        .map(|fingerprint| finding_id(&fix.repo, &fix.target_branch, fingerprint))
        .collect();
    ids.into_iter().filter_map(|id| findings.get(&id))
}

fn is_wanted(only: &[String], id: &str) -> bool {
    only.is_empty() || only.iter().any(|wanted| id.starts_with(wanted.as_str()))
}
