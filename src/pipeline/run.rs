//! One run: every finding gets its decision, every decision its act.

use anyhow::Result;
use holdpoint_engine::decide::{self, Question};
use holdpoint_schemas::decision::{Decision, Phase};
use holdpoint_schemas::event::{Event, EventSink};
use holdpoint_schemas::evidence::{Check, EvidenceRecord};
use holdpoint_schemas::finding::RepoFinding;
use holdpoint_schemas::{Digest, Level, SourceError, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::act;
use super::choose::{Released, choose, lower_to_the_fix, lower_what_was_declined};
use super::evidence::Validated;
use super::history::History;
use super::minimum;
use super::night::Before;
use super::plan::{Pair, Plan};
use super::record::{RUN, RunRecord};
use super::report::{Outcome, ReportItem, RunReport};
use super::rollout::tonight::{Tonight, work};
use super::session::{Session, blocking};
use super::together;
use super::validation;
use super::window::{NOT_REACHED, Window};

/// How often a fix is tested again because its base moved during the run.
const MAX_ROUNDS: usize = 3;

/// What a run is asked for.
#[derive(Clone)]
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
    /// Time that it may take.
    pub window: Window,
    /// The night of the schedule that it is, if it is one.
    pub night: Option<Timestamp>,
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
    session.begin_night(options.night)?;
    session.record_inputs()?;
    session.record_run("started", &[])?;
    if !options.dry_run {
        session = blocking(move || session.attend().map(|()| session)).await?;
    }
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
    // Fixes whose batch came to nothing: they are tested by themselves.
    let mut alone: BTreeSet<Digest> = BTreeSet::new();
    let mut before = Before::default();
    let mut not_reached = BTreeSet::new();
    for round in 0..MAX_ROUNDS {
        let wanted = only.clone();
        let agent = options.agent.clone();
        let (back, plan) = blocking(move || session.plan(&wanted, &agent)).await?;
        session = back;
        if round == 0 {
            before = Before::of(&plan.history);
            problems.extend(plan.gathered.problems.iter().cloned());
            problems.extend(plan.refused.iter().cloned());
            events.event(Event::RunStarted {
                findings: plan.pairs.len(),
                fixes: plan.jobs.len(),
            });
        }
        let validated = session.validate(&plan, options, &mut runner, &alone).await?;
        let (asked, sink) = (options.clone(), Arc::clone(&events));
        let (back, done) = blocking(move || session.finish(&plan, &validated, &asked, sink.as_ref())).await?;
        session = back;
        only = done.again;
        alone.extend(done.alone);
        not_reached.extend(done.not_reached);
        items.extend(done.items);
        if only.is_empty() {
            break;
        }
    }
    if let Some(Ok(runner)) = runner {
        runner.finish().await;
    }
    let not_reached: Vec<String> = not_reached.into_iter().collect();
    session.record_run(if not_reached.is_empty() { "finished" } else { "cut" }, &not_reached)?;
    // A night that was stopped is resumed when the server is back.
    session.end_night(options.night.filter(|_| !options.window.is_stopped()))?;
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
    let mut report = session.report(items, &problems, sandbox, missing, stock)?;
    report.night = session.night_report(options, &before, &report.items, not_reached)?;
    for notice in report.queue.notices(report.at) {
        events.event(Event::Warning { text: notice.line() });
    }
    Ok(RunResult { report, problems })
}

/// What a round did.
struct Done {
    items: BTreeMap<String, ReportItem>,
    /// Findings whose fix is to be tested again.
    again: Vec<String>,
    /// Fixes among those that are to be tested by themselves.
    alone: BTreeSet<Digest>,
    not_reached: Vec<String>,
}

impl Session {
    fn record_run(&mut self, state: &str, not_reached: &[String]) -> Result<()> {
        let record = RunRecord {
            state: state.to_owned(),
            not_reached: not_reached.to_vec(),
            policies: self.estate.pack.digest().clone(),
            schema: self.estate.pack.schema_digest().clone(),
        };
        self.ledger.append(RUN, self.at, &record)?;
        Ok(())
    }

    /// Release decisions, the choice among fixes, and the acts.
    fn finish(
        mut self,
        plan: &Plan,
        validated: &Validated,
        options: &RunOptions,
        events: &dyn EventSink,
    ) -> Result<(Self, Done)> {
        let mut done = Done {
            items: plan.settled.clone(),
            again: Vec::new(),
            alone: BTreeSet::new(),
            not_reached: Vec::new(),
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
        let together = match options.window.is_over() {
            true => together::not_reached(validated),
            false => self.merge_batches(plan, validated, &released, &chosen, &tonight)?,
        };
        for (id, chosen) in chosen {
            let (Some(pair), Some((decision, evidence))) = (plan.pairs.get(chosen.best), released.get(chosen.best))
            else {
                continue;
            };
            events.event(Event::FindingStarted {
                label: label(&pair.finding),
            });
            let of_batch = pair.fix.as_ref().and_then(|fix| together.get(&fix.id));
            let undone = match of_batch {
                Some(Outcome::NotDone { why }) => Some(why.as_str()),
                _ => None,
            };
            let split = undone == Some(act::TESTED_TOGETHER);
            if undone == Some(NOT_REACHED) {
                done.not_reached.push(id.clone());
            }
            let waits = of_batch.is_none()
                && decision.level > Level::Alert
                && (options.window.is_over() || pair.fix.as_ref().is_some_and(|fix| validated.lacks(&fix.id)));
            // What triage leaves open is no decision, and what was found out about a batch says nothing of one fix
            // by itself.
            if undone.is_none() && (!waits || decision.phase != Phase::Triage) {
                self.record_decision(decision)?;
            }
            let outcome = if let Some(outcome) = of_batch {
                outcome.clone()
            } else if waits {
                let known = pair.fix.as_ref().map(|fix| act::proposed_with(&mut self, fix));
                known.transpose()?.flatten().unwrap_or_else(|| {
                    done.not_reached.push(id.clone());
                    Outcome::NotDone {
                        why: NOT_REACHED.to_owned(),
                    }
                })
            } else if decision.phase == Phase::Triage && decision.level > Level::Alert {
                Outcome::NotDone {
                    why: "possible if every check passes; none has run".to_owned(),
                }
            } else if options.dry_run && decision.level > Level::Alert {
                let known = pair
                    .fix
                    .as_ref()
                    .map(|fix| act::proposed_with(&mut self, fix))
                    .transpose()?;
                known.flatten().unwrap_or(Outcome::NotDone {
                    why: "this is a dry run".to_owned(),
                })
            } else {
                self.act(plan, &tonight, pair, decision, evidence.as_ref(), chosen.first_of_fix)?
            };
            if split || matches!(&outcome, Outcome::NotDone { why } if why == act::BASE_MOVED) {
                done.again.push(id.clone());
            }
            if split {
                done.alone.extend(pair.fix.as_ref().map(|fix| fix.id.clone()));
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

    /// What is known about a pair after the checks.
    ///
    /// # Errors
    /// When the decision can't be evaluated.
    pub fn release(
        &self,
        history: &History,
        pair: &Pair,
        validated: &Validated,
        tonight: &Tonight,
    ) -> Result<Released> {
        let evidence = pair.fix.as_ref().and_then(|fix| validated.evidence.get(&fix.id));
        let not_reached = pair.fix.as_ref().is_some_and(|fix| validated.lacks(&fix.id));
        if pair.triage.decision.level == Level::Alert || not_reached || (evidence.is_none() && !validated.ran) {
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
        self.asked.note(&question)?;
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
            Level::Suggest => Ok(act::proposed_with(self, fix)?.unwrap_or(Outcome::NotDone {
                why: act::BASE_MOVED.to_owned(),
            })),
            Level::AutoApply if first_of_fix => act::auto_apply(self, &pair.finding, fix, decision, evidence, tonight),
            Level::AutoApply => act::merged_with(self, fix),
        }
    }
}

/// A finding in one line, for people.
pub fn label(finding: &RepoFinding) -> String {
    format!("{}@{}: {}", finding.repo, finding.branch, finding.finding.title)
}
