//! One run: every finding gets its decision, every decision its act.

use anyhow::{Context, Result};
use holdpoint_engine::decide::{self, Question, Triage};
use holdpoint_ledger::Ledger;
use holdpoint_schemas::decision::{Bound, BoundKind, Decision};
use holdpoint_schemas::event::{Event, EventSink};
use holdpoint_schemas::evidence::{Check, EvidenceRecord};
use holdpoint_schemas::fact::{Action, FactSet, Unknown};
use holdpoint_schemas::finding::RepoFinding;
use holdpoint_schemas::fix::Fix;
use holdpoint_schemas::{Digest, Level, SourceError, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::act;
use super::candidates;
use super::estate::Estate;
use super::facts::{self, Moment, touched_addresses, touched_paths};
use super::findings::{self, Gathered};
use super::mirror::Mirror;
use super::owners::Owners;
use super::record::{DECISION, EVIDENCE, EvidenceEntry, FIX, History, RUN, Recorder, RunRecord};
use super::report::{CiOnly, Outcome, ReportItem, RunReport};
use super::state::State;
use super::validation::{self, Job};

/// How often a fix is tested again because its base moved during the run.
const MAX_ROUNDS: usize = 3;

/// What a run is asked for.
#[derive(Debug, Clone)]
pub struct RunOptions {
    /// The injected clock.
    pub at: Timestamp,
    /// Only these findings (ids or their beginnings); empty: all.
    pub only: Vec<String>,
    /// Decide and record, but neither open a pull request nor merge.
    pub dry_run: bool,
    /// Run the sandbox for what has no evidence yet.
    pub validate: bool,
    /// Run the tests of held candidates too, only to say what a CI-only tool would have done.
    pub compare_ci: bool,
    /// Checks not to run: what needs their evidence then stays low.
    pub skip_checks: Vec<Check>,
    /// Program that replays recorded interactions inside the sandbox: this one.
    pub agent: PathBuf,
}

/// What a run did, and the inputs that it couldn't use.
#[derive(Debug)]
pub struct RunResult {
    /// For people and machines.
    pub report: RunReport,
    /// Bad inputs: each harmed only itself.
    pub problems: Vec<SourceError>,
}

/// An estate in the hands of one process.
pub struct Session {
    /// Estate.
    pub estate: Estate,
    /// Its state folder, locked.
    pub state: State,
    /// Its ledger.
    pub ledger: Ledger,
    /// Its repos.
    pub mirrors: BTreeMap<String, Mirror>,
    /// The injected clock.
    pub at: Timestamp,
    /// What couldn't be read.
    pub problems: Vec<SourceError>,
}

impl Session {
    /// Loads the estate, takes its state folder, opens its ledger and fetches its repos.
    ///
    /// # Errors
    /// When the estate can't be used, another run holds it, or the ledger was tampered with.
    pub fn open(root: &Path, at: Timestamp) -> Result<Self> {
        let mut estate = Estate::load(root)?;
        let state = State::take(&estate.state())?;
        let ledger = state.ledger()?;
        let mut problems = std::mem::take(&mut estate.problems);
        let mut mirrors = BTreeMap::new();
        for repo in &estate.config.repos {
            match Mirror::fetch(&estate, &repo.name) {
                Ok(mirror) => {
                    mirrors.insert(repo.name.clone(), mirror);
                }
                Err(error) => problems.push(
                    SourceError::new(&repo.remote, format!("{error:#}"))
                        .help("check the `remote` of this repo in `holdpoint.yaml`"),
                ),
            }
        }
        Ok(Self {
            estate,
            state,
            ledger,
            mirrors,
            at,
            problems,
        })
    }

    /// Facts about a finding and its fix, now.
    pub fn facts(
        &self,
        history: &History,
        finding: &RepoFinding,
        fix: Option<&Fix>,
    ) -> (FactSet, holdpoint_schemas::service::ServiceId) {
        let owners = self.owners(finding, fix);
        let moment = Moment {
            estate: &self.estate,
            mirror: self.mirrors.get(&finding.repo),
            history,
            finding,
            fix,
            owners: &owners,
            now: self.at,
        };
        (facts::collect(&moment), owners.primary())
    }

    /// Owners of what a fix or finding touches.
    pub fn owners<'a>(&'a self, finding: &'a RepoFinding, fix: Option<&'a Fix>) -> Owners<'a> {
        Owners::of(
            &self.estate,
            &finding.repo,
            &touched_paths(finding, fix),
            &touched_addresses(finding, fix),
        )
    }
}

/// One (fix, finding) pair on its way.
#[derive(Debug, Clone)]
struct Pair {
    finding: RepoFinding,
    fix: Option<Fix>,
    triage: Triage,
}

/// Runs.
///
/// # Errors
/// When the estate, its ledger or the sandbox can't be used at all.
pub async fn run(root: &Path, options: &RunOptions, events: Arc<dyn EventSink>) -> Result<RunResult> {
    let root = root.to_owned();
    let at = options.at;
    let mut session = blocking(move || Session::open(&root, at)).await?;
    session.record_run("started")?;
    // First of all, so that what a killed run left is gone even if nothing is to be validated now.
    // Without a sandbox the run goes on until it needs one.
    let mut runner = if options.validate {
        Some(validation::Runner::start(&session.estate, &at.to_string(), Arc::clone(&events)).await)
    } else {
        None
    };
    let sandbox = runner
        .as_ref()
        .and_then(|runner| runner.as_ref().ok())
        .map(validation::Runner::describe)
        .unwrap_or_default();
    let mut only = options.only.clone();
    let mut items: BTreeMap<String, ReportItem> = BTreeMap::new();
    let mut problems = std::mem::take(&mut session.problems);
    for round in 0..MAX_ROUNDS {
        let wanted = only.clone();
        let agent = options.agent.clone();
        let (back, plan) = blocking(move || session.plan(&wanted, &agent)).await?;
        session = back;
        if round == 0 {
            problems.extend(plan.gathered.problems.iter().cloned());
            problems.extend(plan.refused.iter().cloned());
            events.event(Event::RunStarted {
                findings: plan.pairs.len(),
                fixes: plan.jobs.len(),
            });
        }
        let validated = session.validate(&plan, options, &mut runner).await?;
        let (dry_run, sink) = (options.dry_run, Arc::clone(&events));
        let (back, done) = blocking(move || session.finish(&plan, &validated, dry_run, sink.as_ref())).await?;
        session = back;
        only = done.base_moved;
        items.extend(done.items);
        if only.is_empty() {
            break;
        }
    }
    session.record_run("finished")?;
    let report = session.report(items, &problems, sandbox)?;
    Ok(RunResult { report, problems })
}

/// What is to be done in one round.
pub struct Plan {
    gathered: Gathered,
    refused: Vec<SourceError>,
    pairs: Vec<Pair>,
    jobs: BTreeMap<Digest, Job>,
    /// Fixes that triage holds at alert; run only to compare with a CI-only tool.
    comparisons: BTreeMap<Digest, Job>,
    history: History,
    settled: BTreeMap<String, ReportItem>,
}

/// What validation found out, by fix.
#[derive(Debug, Default)]
struct Validated {
    evidence: BTreeMap<Digest, EvidenceRecord>,
    comparisons: BTreeMap<Digest, Option<bool>>,
}

/// What a round did.
struct Done {
    items: BTreeMap<String, ReportItem>,
    base_moved: Vec<String>,
}

impl Session {
    fn record_run(&mut self, state: &str) -> Result<()> {
        let record = RunRecord {
            state: state.to_owned(),
            policies: self.estate.pack.digest().clone(),
            schema: self.estate.pack.schema_digest().clone(),
        };
        self.ledger.append(RUN, self.at, &record)?;
        Ok(())
    }

    /// Findings, fixes, facts and triage.
    fn plan(mut self, only: &[String], agent: &Path) -> Result<(Self, Plan)> {
        act::settle_intents(&mut self)?;
        let history = History::read(&self.ledger)?;
        let mut recorder = Recorder::new(&mut self.ledger, self.at)?;
        let mut gathered = findings::gather(&self.estate, &self.mirrors, &history, &mut recorder)?;
        let candidates = candidates::read(&self.estate, &self.mirrors, &gathered.findings, &history)?;
        for fix in &candidates.fixes {
            recorder.append_new(FIX, fix)?;
        }
        drop(recorder);
        let settled = self.settled(&history, &candidates.fixes, only)?;
        gathered
            .findings
            .retain(|id, _| is_wanted(only, id) && !settled.contains_key(id));

        let mut pairs = Vec::new();
        let mut checks: BTreeMap<Digest, BTreeSet<Check>> = BTreeMap::new();
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
                let question = Question {
                    finding,
                    service: &service,
                    fix,
                    facts: &facts,
                    evidence: None,
                    rollout: &self.estate.rollout,
                    now: self.at,
                };
                let triage = decide::triage(&self.estate.pack, &question)?;
                if let Some(fix) = fix {
                    checks
                        .entry(fix.id.clone())
                        .or_default()
                        .extend(triage.checks.iter().copied());
                }
                pairs.push(Pair {
                    finding: finding.clone(),
                    fix: fix.cloned(),
                    triage,
                });
            }
        }
        let mut jobs = BTreeMap::new();
        let mut comparisons = BTreeMap::new();
        for pair in &pairs {
            let Some(fix) = &pair.fix else { continue };
            let Some(mirror) = self.mirrors.get(&fix.repo) else {
                continue;
            };
            let checks = checks.get(&fix.id).cloned().unwrap_or_default();
            let target = if checks.is_empty() { &mut comparisons } else { &mut jobs };
            if !target.contains_key(&fix.id) {
                let owners = self.owners(&pair.finding, Some(fix));
                let is_resolved = |finding: &&RepoFinding| {
                    finding.repo == fix.repo
                        && finding.branch == fix.target_branch
                        && fix.resolves.contains(&finding.finding.fingerprint)
                };
                let resolved: Vec<&RepoFinding> = gathered.findings.values().filter(is_resolved).collect();
                target.insert(
                    fix.id.clone(),
                    validation::prepare(&self.estate, mirror, fix, &resolved, &owners, &checks, agent)?,
                );
            }
        }
        let plan = Plan {
            gathered,
            refused: candidates.problems,
            pairs,
            jobs,
            comparisons,
            history,
            settled,
        };
        Ok((self, plan))
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
                let question = Question {
                    finding,
                    service: &recorded.service,
                    fix: Some(fix),
                    facts: &without_evidence(&recorded.facts),
                    evidence: evidence.as_ref().map(|record| &record.evidence),
                    rollout: &self.estate.rollout,
                    now: recorded.at,
                };
                let decision = decide::release(&self.estate.pack, &question)?;
                let outcome = Outcome::AlreadyMerged {
                    commit: merge.commit.clone(),
                };
                settled.insert(id, self.item(finding, Some(fix), decision, evidence, None, outcome));
            }
        }
        Ok(settled)
    }

    async fn validate(
        &mut self,
        plan: &Plan,
        options: &RunOptions,
        runner: &mut Option<Result<validation::Runner>>,
    ) -> Result<Validated> {
        let mut validated = Validated::default();
        let mut jobs = BTreeMap::new();
        for (fix, job) in &plan.jobs {
            let job = job.without(&options.skip_checks);
            match plan.history.evidence.get(&job.key) {
                Some(record) => {
                    validated.evidence.insert(fix.clone(), record.clone());
                }
                None => {
                    jobs.insert(fix.clone(), job);
                }
            }
        }
        let comparisons: BTreeMap<Digest, Job> = if options.compare_ci {
            plan.comparisons.clone()
        } else {
            BTreeMap::new()
        };
        if jobs.is_empty() && comparisons.is_empty() {
            return Ok(validated);
        }
        let runner = match runner.take() {
            None => return Ok(validated),
            Some(started) => &*runner.insert(Ok(started?)),
        };
        let Ok(runner) = runner else { return Ok(validated) };
        let mut results = runner.all(jobs);
        while let Some((fix, key, record)) = results.recv().await {
            self.ledger.append(
                EVIDENCE,
                self.at,
                &EvidenceEntry {
                    key,
                    fix: fix.clone(),
                    record: record.clone(),
                },
            )?;
            validated.evidence.insert(fix, record);
        }
        let mut results = runner.all(
            comparisons
                .into_iter()
                .map(|(fix, job)| (fix, job.tests_only()))
                .collect(),
        );
        while let Some((fix, _, record)) = results.recv().await {
            validated.comparisons.insert(fix, record.evidence.candidate_green);
        }
        Ok(validated)
    }

    /// Release decisions, the choice among fixes, and the acts.
    fn finish(
        mut self,
        plan: &Plan,
        validated: &Validated,
        dry_run: bool,
        events: &dyn EventSink,
    ) -> Result<(Self, Done)> {
        let mut done = Done {
            items: plan.settled.clone(),
            base_moved: Vec::new(),
        };
        let mut released = Vec::new();
        for pair in &plan.pairs {
            released.push(self.release(&plan.history, pair, validated)?);
        }
        lower_to_the_fix(&plan.pairs, &mut released)?;
        for (id, chosen) in choose(&plan.pairs, &released) {
            let (Some(pair), Some((decision, evidence))) = (plan.pairs.get(chosen.best), released.get(chosen.best))
            else {
                continue;
            };
            events.event(Event::FindingStarted {
                label: label(&pair.finding),
            });
            Recorder::new(&mut self.ledger, self.at)?.append_new(DECISION, decision)?;
            let outcome = if dry_run {
                Outcome::NotDone {
                    why: "this is a dry run".to_owned(),
                }
            } else {
                self.act(plan, pair, decision, evidence.as_ref(), chosen.first_of_fix)?
            };
            if matches!(&outcome, Outcome::NotDone { why } if why == act::BASE_MOVED) {
                done.base_moved.push(id.clone());
            }
            let comparison = pair
                .fix
                .as_ref()
                .and_then(|fix| validated.comparisons.get(&fix.id).copied().flatten());
            let reason = decision
                .bounds
                .first()
                .map_or_else(|| decision.permitted_by.join("; "), |bound| bound.reason.clone());
            events.event(Event::FindingDecided {
                label: label(&pair.finding),
                level: decision.level,
                reason,
            });
            let item = self.item(
                &pair.finding,
                pair.fix.as_ref(),
                decision.clone(),
                evidence.clone(),
                comparison,
                outcome,
            );
            done.items.insert(id, item);
        }
        Ok((self, done))
    }

    fn release(
        &self,
        history: &History,
        pair: &Pair,
        validated: &Validated,
    ) -> Result<(Decision, Option<EvidenceRecord>)> {
        let evidence = pair.fix.as_ref().and_then(|fix| validated.evidence.get(&fix.id));
        if pair.triage.decision.level == Level::Alert || evidence.is_none() {
            return Ok((pair.triage.decision.clone(), None));
        }
        let (facts, service) = self.facts(history, &pair.finding, pair.fix.as_ref());
        let question = Question {
            finding: &pair.finding,
            service: &service,
            fix: pair.fix.as_ref(),
            facts: &facts,
            evidence: evidence.map(|record| &record.evidence),
            rollout: &self.estate.rollout,
            now: self.at,
        };
        Ok((decide::release(&self.estate.pack, &question)?, evidence.cloned()))
    }

    fn act(
        &mut self,
        plan: &Plan,
        pair: &Pair,
        decision: &Decision,
        evidence: Option<&EvidenceRecord>,
        first_of_fix: bool,
    ) -> Result<Outcome> {
        let (Some(fix), Some(evidence)) = (&pair.fix, evidence) else {
            return Ok(Outcome::Alerted);
        };
        match decision.level {
            Level::Alert => Ok(Outcome::Alerted),
            Level::Suggest => act::propose(self, &plan.history, &pair.finding, fix, decision, evidence),
            Level::AutoApply if first_of_fix => act::auto_apply(self, &pair.finding, fix, decision, evidence),
            Level::AutoApply => act::merged_with(&self.ledger, fix),
        }
    }

    fn item(
        &self,
        finding: &RepoFinding,
        fix: Option<&Fix>,
        decision: Decision,
        evidence: Option<EvidenceRecord>,
        comparison: Option<bool>,
        outcome: Outcome,
    ) -> ReportItem {
        let green = evidence
            .as_ref()
            .and_then(|record| record.evidence.candidate_green)
            .or(comparison);
        let ci_only = match green {
            Some(true) => CiOnly::Merge,
            Some(false) => CiOnly::Hold,
            None => CiOnly::NotRun,
        };
        let service = decision.service.as_str().to_owned();
        let blast = self.estate.graph.blast_radius(&decision.service);
        ReportItem {
            finding: finding.clone(),
            service,
            fix: fix.cloned(),
            unknowns: self.unknowns(&decision),
            advice: act::advice(fix),
            decision,
            evidence,
            outcome,
            ci_only,
            blast,
            scenario: None,
        }
    }

    /// Facts that the pack reads and nobody could say; evidence that wasn't gathered isn't among them.
    fn unknowns(&self, decision: &Decision) -> Vec<Unknown> {
        let mut read = self.estate.pack.facts_read(Action::Suggest);
        read.extend(self.estate.pack.facts_read(Action::AutoApply));
        read.into_iter()
            .filter(|id| !id.starts_with("evidence."))
            .filter_map(|id| decision.facts.unknown(id))
            .collect()
    }

    fn report(
        &mut self,
        items: BTreeMap<String, ReportItem>,
        problems: &[SourceError],
        sandbox: String,
    ) -> Result<RunReport> {
        let mut items: Vec<ReportItem> = items.into_values().collect();
        items.sort_by_key(|item| {
            (
                std::cmp::Reverse(item.finding.finding.severity),
                item.finding.repo.clone(),
                item.finding.id(),
            )
        });
        let verified = matches!(self.ledger.verify(None)?, holdpoint_ledger::Verification::Intact { .. });
        Ok(RunReport {
            estate: self.estate.config.name.clone(),
            at: self.at,
            pack: self.estate.config.policies.clone(),
            ledger_head: self.ledger.head()?.to_string(),
            ledger_verified: verified,
            sandbox,
            catalogue: self.estate.catalogue.known().cloned().unwrap_or_default(),
            items,
            warnings: problems.iter().map(SourceError::one_line).collect(),
        })
    }
}

/// Facts without evidence: the engine adds that itself.
pub fn without_evidence(facts: &FactSet) -> FactSet {
    let mut kept = FactSet::new();
    for (id, fact) in facts.known().filter(|(id, _)| !id.starts_with("evidence.")) {
        kept.insert(id, fact.clone());
    }
    kept
}

/// A finding in one line, for people.
pub fn label(finding: &RepoFinding) -> String {
    format!("{}@{}: {}", finding.repo, finding.branch, finding.finding.title)
}

fn is_wanted(only: &[String], id: &str) -> bool {
    only.is_empty() || only.iter().any(|wanted| id.starts_with(wanted.as_str()))
}

type Released = (Decision, Option<EvidenceRecord>);

/// A fix takes the lowest level of the findings that it resolves.
fn lower_to_the_fix(pairs: &[Pair], released: &mut [Released]) -> Result<()> {
    let mut lowest: BTreeMap<Digest, (Level, String)> = BTreeMap::new();
    for (pair, (decision, _)) in pairs.iter().zip(released.iter()) {
        let Some(fix) = &pair.fix else { continue };
        let entry = lowest
            .entry(fix.id.clone())
            .or_insert_with(|| (decision.level, pair.finding.id()));
        if decision.level < entry.0 {
            *entry = (decision.level, pair.finding.id());
        }
    }
    for (pair, (decision, _)) in pairs.iter().zip(released.iter_mut()) {
        let Some((level, because)) = pair.fix.as_ref().and_then(|fix| lowest.get(&fix.id)) else {
            continue;
        };
        if *level < decision.level {
            lower(decision, *level, because)?;
        }
    }
    Ok(())
}

fn lower(decision: &mut Decision, level: Level, because: &str) -> Result<()> {
    decision.bounds.push(Bound {
        withholds: decision.level,
        kind: BoundKind::Policy,
        id: "other-finding".to_owned(),
        reason: format!("The fix also resolves `{because}`, whose level is {level}"),
        facts: Vec::new(),
        unknowns: Vec::new(),
        unlock: None,
    });
    decision.level = level;
    decision.id = decide::decision_id(decision)?;
    Ok(())
}

/// Which pair speaks for a finding.
struct Chosen {
    best: usize,
    first_of_fix: bool,
}

/// A finding promotes its highest-level fix; tie: fewest files, then the fix's id.
fn choose(pairs: &[Pair], released: &[Released]) -> BTreeMap<String, Chosen> {
    let mut chosen: BTreeMap<String, Chosen> = BTreeMap::new();
    let rank = |index: usize| {
        let level = released
            .get(index)
            .map(|(decision, _)| std::cmp::Reverse(decision.level));
        let fix = pairs.get(index).and_then(|pair| pair.fix.as_ref());
        (level, fix.map(|fix| fix.files.len()), fix.map(|fix| fix.id.clone()))
    };
    for (index, pair) in pairs.iter().enumerate() {
        let entry = chosen.entry(pair.finding.id()).or_insert(Chosen {
            best: index,
            first_of_fix: true,
        });
        if rank(index) < rank(entry.best) {
            entry.best = index;
        }
    }
    let mut seen = BTreeSet::new();
    for choice in chosen.values_mut() {
        if let Some(fix) = pairs.get(choice.best).and_then(|pair| pair.fix.as_ref()) {
            choice.first_of_fix = seen.insert(fix.id.clone());
        }
    }
    chosen
}

/// Runs git and SQLite work where it may block.
///
/// # Errors
/// The work's own, or that it panicked.
pub async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .context("a background task broke off")?
}
