//! One run: every finding gets its decision, every decision its act.

use anyhow::Result;
use holdpoint_engine::decide::{self, Question};
use holdpoint_schemas::decision::{Decision, Phase};
use holdpoint_schemas::event::{Event, EventSink};
use holdpoint_schemas::evidence::{Check, EvidenceRecord, StepEnd, StepRun};
use holdpoint_schemas::finding::RepoFinding;
use holdpoint_schemas::{Digest, Level, SourceError, Timestamp};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::act;
use super::choose::{Released, choose, lower_to_the_fix, lower_what_was_declined};
use super::minimum;
use super::plan::{Pair, Plan};
use super::record::{DECISION, EVIDENCE, EvidenceEntry, History, RUN, RunRecord};
use super::report::{Outcome, ReportItem, RunReport};
use super::rollout::tonight::{Tonight, work};
use super::session::{Session, blocking};
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

/// Runs.
///
/// # Errors
/// When the estate, its ledger or the sandbox can't be used at all.
#[tracing::instrument(name = "run", skip_all, fields(at = %options.at))]
pub async fn run(root: &Path, options: &RunOptions, events: Arc<dyn EventSink>) -> Result<RunResult> {
    let root = root.to_owned();
    let at = options.at;
    let mut session = blocking(move || Session::open(&root, at)).await?;
    session.record_inputs()?;
    session.record_run("started")?;
    // Before anything is decided: a revert lowers its lane in this run.
    let (mut session, stock) = blocking(move || session.with_stock_taken()).await?;
    for text in stock.lines() {
        events.event(Event::Warning { text });
    }
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
    if let Some(Ok(runner)) = runner {
        runner.finish().await;
    }
    session.record_run("finished")?;
    // A run that looked at some findings only can't say what the estate lacks.
    let missing = if options.only.is_empty() {
        minimum::warnings(
            session.estate.pack.name(),
            &session.estate.minimum_facts,
            &session.estate.facts,
            items.values().map(|item| &item.decision.facts),
        )
    } else {
        Vec::new()
    };
    for text in &missing {
        events.event(Event::Warning { text: text.clone() });
    }
    let report = session.report(items, &problems, sandbox, missing, stock)?;
    Ok(RunResult { report, problems })
}

/// Whether evidence may be used again. What broke off with the machine or at a bound, or never began, may come out
/// otherwise: a machine that is short of memory or disk gives a step less than its bound.
fn is_final(record: &EvidenceRecord) -> bool {
    let lost = |step: &StepRun| !matches!(step.end, StepEnd::Exited { .. } | StepEnd::MissingTool);
    let needs_sandbox = record.evidence.checks.keys().any(|check| *check != Check::Surface);
    !record.steps.iter().any(lost) && (!needs_sandbox || !record.steps.is_empty())
}

/// What validation found out, by fix.
#[derive(Debug, Default)]
struct Validated {
    /// Whether the sandbox was to be used: then a fix without evidence couldn't be validated, and
    /// what it would have shown is unknown.
    ran: bool,
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

    async fn validate(
        &mut self,
        plan: &Plan,
        options: &RunOptions,
        runner: &mut Option<Result<validation::Runner>>,
    ) -> Result<Validated> {
        let mut validated = Validated {
            ran: options.validate,
            ..Validated::default()
        };
        let mut jobs = Vec::new();
        for (fix, job) in plan.jobs_in_order() {
            let job = job.without(&options.skip_checks);
            match plan.history.evidence.get(&job.key).filter(|record| is_final(record)) {
                Some(record) => {
                    validated.evidence.insert(fix.clone(), record.clone());
                }
                None => {
                    jobs.push((fix.clone(), job));
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
        self.reserve_minutes(&plan.tonight, jobs.iter().map(|(fix, _)| fix))?;
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
        let comparisons = comparisons.into_iter().map(|(fix, job)| (fix, job.tests_only()));
        let mut results = runner.all(comparisons.collect());
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
        let (released, tonight) = self.released(plan, validated)?;
        self.record_validations(plan, &released)?;
        // Merges first: what is proposed is then tested on the branch as it is. Among each, tonight's order.
        let mut chosen: Vec<_> = choose(&plan.pairs, &released, &plan.wanted).into_iter().collect();
        chosen.sort_by_key(|(_, chosen)| {
            let level = released.get(chosen.best).map(|(decision, _)| decision.level);
            let fix = plan.pairs.get(chosen.best).and_then(|pair| pair.fix.as_ref());
            (std::cmp::Reverse(level), tonight.rank(fix.map(|fix| &fix.id)))
        });
        for (id, chosen) in chosen {
            let (Some(pair), Some((decision, evidence))) = (plan.pairs.get(chosen.best), released.get(chosen.best))
            else {
                continue;
            };
            events.event(Event::FindingStarted {
                label: label(&pair.finding),
            });
            self.recorder()?.append_new(DECISION, [decision])?;
            let outcome = if decision.phase == Phase::Triage && decision.level > Level::Alert {
                Outcome::NotDone {
                    why: "possible if every check passes; none has run".to_owned(),
                }
            } else if dry_run && decision.level > Level::Alert {
                let known = pair
                    .fix
                    .as_ref()
                    .map(|fix| act::proposed_with(&self.ledger, fix))
                    .transpose()?;
                known.flatten().unwrap_or(Outcome::NotDone {
                    why: "this is a dry run".to_owned(),
                })
            } else {
                self.act(plan, &tonight, pair, decision, evidence.as_ref(), chosen.first_of_fix)?
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

    /// Release decisions as far as tonight's budget goes, and tonight's order. Budget that a fix would have taken which
    /// fails its validation is there for the others.
    fn released(&self, plan: &Plan, validated: &Validated) -> Result<(Vec<Released>, Tonight)> {
        let all = |tonight: &Tonight| -> Result<Vec<Released>> {
            let release = |pair| self.release(&plan.history, pair, validated, tonight);
            let mut released = plan.pairs.iter().map(release).collect::<Result<Vec<_>>>()?;
            lower_to_the_fix(&plan.pairs, &mut released)?;
            lower_what_was_declined(&plan.pairs, &plan.history, &mut released)?;
            Ok(released)
        };
        let released = all(&Tonight::default())?;
        // What triage held back, for the budget or otherwise, was not validated: its word stands.
        let decided = released.iter().map(|(decision, _)| decision);
        let work: Vec<_> = work(&plan.pairs, decided, |_| 0)
            .into_iter()
            .filter(|work| work.decision.phase != Phase::Triage)
            .collect();
        let tonight = self.tonight(&plan.history, &work);
        if tonight.caps.is_empty() {
            return Ok((released, tonight));
        }
        Ok((all(&tonight)?, tonight))
    }

    fn release(&self, history: &History, pair: &Pair, validated: &Validated, tonight: &Tonight) -> Result<Released> {
        let evidence = pair.fix.as_ref().and_then(|fix| validated.evidence.get(&fix.id));
        if pair.triage.decision.level == Level::Alert || (evidence.is_none() && !validated.ran) {
            return Ok((pair.triage.decision.clone(), None));
        }
        let (facts, service) = self.facts(history, &pair.finding, pair.fix.as_ref());
        let mut caps = self.caps(&pair.finding, pair.fix.as_ref(), &facts);
        if let Some(fix) = &pair.fix {
            caps.extend_from_slice(tonight.caps_of(&fix.id));
        }
        let question = Question {
            finding: &pair.finding,
            service: &service,
            fix: pair.fix.as_ref(),
            facts: &facts,
            evidence: evidence.map(|record| &record.evidence),
            rollout: &self.standing.effective,
            caps: &caps,
            now: self.at,
        };
        Ok((decide::release(&self.estate.pack, &question)?, evidence.cloned()))
    }

    fn act(
        &mut self,
        plan: &Plan,
        tonight: &Tonight,
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
            Level::Suggest if first_of_fix => {
                if let Some(cap) = self.withheld(tonight, &pair.finding, fix, decision)? {
                    return Ok(Outcome::NotDone { why: cap.reason });
                }
                let same_fix = |other: &&Pair| other.fix.as_ref().is_some_and(|other| other.id == fix.id);
                let mut findings = vec![&pair.finding];
                let others = plan.pairs.iter().filter(same_fix).map(|other| &other.finding);
                findings.extend(others.filter(|other| other.id() != pair.finding.id()));
                act::propose(self, &plan.history, &findings, fix, decision, evidence)
            }
            Level::Suggest => Ok(act::proposed_with(&self.ledger, fix)?.unwrap_or(Outcome::NotDone {
                why: act::BASE_MOVED.to_owned(),
            })),
            Level::AutoApply if first_of_fix => act::auto_apply(self, &pair.finding, fix, decision, evidence, tonight),
            Level::AutoApply => act::merged_with(&self.ledger, fix),
        }
    }
}

/// A finding in one line, for people.
pub fn label(finding: &RepoFinding) -> String {
    format!("{}@{}: {}", finding.repo, finding.branch, finding.finding.title)
}

#[cfg(test)]
mod tests {
    use super::*;
    use holdpoint_schemas::evidence::{CheckResult, Evidence, Isolation, Side, Verdict};

    fn evidence(end: StepEnd) -> EvidenceRecord {
        let result = CheckResult {
            verdict: Verdict::Inconclusive,
            reason: String::new(),
            details: Vec::new(),
        };
        EvidenceRecord {
            evidence: Evidence {
                checks: BTreeMap::from([(Check::Test, result)]),
                new_findings: Vec::new(),
                sandbox: String::new(),
                isolation: Isolation::Container,
                hosts: Vec::new(),
                flaky_tests: Vec::new(),
                candidate_green: None,
            },
            steps: vec![StepRun {
                step: "test".to_owned(),
                side: Side::Candidate,
                end,
                millis: 1,
                tail: String::new(),
            }],
        }
    }

    #[test]
    fn evidence_is_used_again_only_where_every_step_ended_by_itself() {
        for end in [
            StepEnd::Exited { code: 0 },
            StepEnd::Exited { code: 1 },
            StepEnd::MissingTool,
        ] {
            assert!(is_final(&evidence(end)));
        }
        for end in [
            StepEnd::OutOfMemory,
            StepEnd::OutOfDisk,
            StepEnd::TimedOut { after_seconds: 1 },
            StepEnd::Killed,
        ] {
            assert!(!is_final(&evidence(end)));
        }
        let mut never = evidence(StepEnd::MissingTool);
        never.steps.clear();
        assert!(!is_final(&never));
    }
}
