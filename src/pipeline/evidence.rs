//! Evidence of a round: what is known already, and what the sandbox has to find out.

use anyhow::Result;
use holdpoint_schemas::Digest;
use holdpoint_schemas::evidence::{Check, EvidenceRecord, StepEnd, StepRun};
use std::collections::{BTreeMap, BTreeSet};
use tokio::sync::mpsc;
use tokio::time::error::Elapsed;

use super::plan::Plan;
use super::record::{EVIDENCE, EvidenceEntry};
use super::run::RunOptions;
use super::session::Session;
use super::settled::is_enough;
use super::together::Batch;
use super::validation::{self, Job};
use super::window::Window;

/// Whether evidence may be used again. What broke off with the machine or at a bound, or never began, may come out
/// otherwise: a machine that is short of memory or disk gives a step less than its bound.
pub fn is_final(record: &EvidenceRecord) -> bool {
    let lost = |step: &StepRun| !matches!(step.end, StepEnd::Exited { .. } | StepEnd::MissingTool);
    let needs_sandbox = record.evidence.checks.keys().any(|check| *check != Check::Surface);
    !record.steps.iter().any(lost) && (!needs_sandbox || !record.steps.is_empty())
}

/// What validation found out, by fix.
#[derive(Debug, Default)]
pub struct Validated {
    /// Whether the sandbox was to be used: then a fix without evidence couldn't be validated, and
    /// what it would have shown is unknown.
    pub ran: bool,
    /// Fixes for which the time wasn't enough.
    pub not_reached: BTreeSet<Digest>,
    /// Evidence; of a fix that is part of a batch, the batch's.
    pub evidence: BTreeMap<Digest, EvidenceRecord>,
    /// Whether the tests of held candidates were green.
    pub comparisons: BTreeMap<Digest, Option<bool>>,
    /// Fixes that were tested as one.
    pub batches: Vec<Batch>,
}

impl Validated {
    /// Whether the time wasn't enough for a fix.
    pub fn lacks(&self, fix: &Digest) -> bool {
        self.not_reached.contains(fix)
    }
}

/// The next result, or that the time for validating is over.
///
/// # Errors
/// That it is over.
pub async fn next<T>(results: &mut mpsc::Receiver<T>, window: &Window) -> Result<Option<T>, Elapsed> {
    match window.left_to_validate() {
        None => Ok(results.recv().await),
        Some(left) => tokio::time::timeout(left, results.recv()).await,
    }
}

impl Session {
    /// Tests what has no evidence yet, as far as the time goes; batches first.
    ///
    /// # Errors
    /// When there is no sandbox, or the ledger can't be written.
    pub async fn validate(
        &mut self,
        plan: &Plan,
        options: &RunOptions,
        runner: &mut Option<Result<validation::Runner>>,
        alone: &BTreeSet<Digest>,
    ) -> Result<Validated> {
        let mut validated = Validated {
            ran: options.validate,
            ..Validated::default()
        };
        let in_order = plan.jobs_in_order().into_iter();
        let mut jobs: Vec<_> = in_order
            .map(|(fix, job)| (fix.clone(), job.without(&options.skip_checks)))
            .collect();
        // What a CI-only tool would have seen is part of a comparison, whatever else settles the decision.
        if !options.compare_ci {
            self.until_settled(plan, &mut jobs);
        }
        jobs.retain(|(fix, job)| {
            let known = plan.history.evidence.get(&job.key);
            let known = known.filter(|record| is_final(record) && is_enough(job, record));
            if let Some(record) = known {
                validated.evidence.insert(fix.clone(), record.clone());
            }
            known.is_none()
        });
        let comparisons: BTreeMap<Digest, Job> = if options.compare_ci {
            plan.comparisons.clone()
        } else {
            BTreeMap::new()
        };
        if jobs.is_empty() && comparisons.is_empty() {
            return Ok(validated);
        }
        validated.not_reached = jobs.iter().map(|(fix, _)| fix.clone()).collect();
        if options.window.left_to_validate().is_some_and(|left| left.is_zero()) {
            return Ok(validated);
        }
        let Some(started) = runner.take() else {
            validated.not_reached.clear();
            return Ok(validated);
        };
        let running = started?;
        self.reserve_minutes(&plan.tonight, jobs.iter().map(|(fix, _)| fix))?;
        if !options.dry_run {
            for stack in self.stacks(plan, alone)? {
                let tried = match options.window.left_to_validate() {
                    None => self.try_together(plan, &stack, options, &running).await?,
                    Some(left) => {
                        let trying = self.try_together(plan, &stack, options, &running);
                        match tokio::time::timeout(left, trying).await {
                            Ok(tried) => tried?,
                            Err(_) => {
                                running.cut().await;
                                return Ok(validated);
                            }
                        }
                    }
                };
                for entry in tried.entries {
                    self.ledger.append(EVIDENCE, self.at, &entry)?;
                }
                tracing::debug!("evidence recorded");
                validated.evidence.extend(tried.alone);
                if let Some(batch) = tried.batch {
                    for (fix, _) in &batch.members {
                        validated.evidence.insert(fix.clone(), batch.record.clone());
                    }
                    validated.batches.push(batch);
                }
            }
            jobs.retain(|(fix, _)| !validated.evidence.contains_key(fix));
            validated.not_reached = jobs.iter().map(|(fix, _)| fix.clone()).collect();
        }
        if !self.validate_alone(jobs, options, &running, &mut validated).await? {
            running.cut().await;
            return Ok(validated);
        }
        let comparisons = comparisons.into_iter().map(|(fix, job)| (fix, job.tests_only()));
        let mut results = running.all(comparisons.collect());
        loop {
            let (fix, _, record) = match next(&mut results, &options.window).await {
                Ok(Some(finished)) => finished,
                Ok(None) => break,
                Err(_) => {
                    running.cut().await;
                    return Ok(validated);
                }
            };
            validated.comparisons.insert(fix, record.evidence.candidate_green);
        }
        *runner = Some(Ok(running));
        Ok(validated)
    }

    /// Tests each fix by itself: here, or where the ledger is shared, on whichever host comes first. Whether there was
    /// time for all.
    async fn validate_alone(
        &mut self,
        jobs: Vec<(Digest, Job)>,
        options: &RunOptions,
        running: &validation::Runner,
        validated: &mut Validated,
    ) -> Result<bool> {
        if let Some(queue) = self.work_queue(&jobs)? {
            return self.validate_shared(queue, jobs, options, running, validated).await;
        }
        let mut results = running.all(jobs);
        loop {
            let (fix, key, record) = match next(&mut results, &options.window).await {
                Ok(Some(finished)) => finished,
                Ok(None) => return Ok(true),
                Err(_) => return Ok(false),
            };
            validated.not_reached.remove(&fix);
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
    }
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
