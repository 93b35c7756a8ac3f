//! Runs jobs in the sandbox, a few at once; fixes of one base share its baseline.

use anyhow::{Context, Result};
use holdpoint_runner::{
    Baseline, DockerSandbox, Sandbox, SandboxSettings, SideRecord, compare, run_baseline, run_candidate,
};
use holdpoint_schemas::Digest;
use holdpoint_schemas::event::{Event, EventSink};
use holdpoint_schemas::evidence::{Check, CheckResult, Evidence, EvidenceRecord, Isolation, Verdict};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{OnceCell, Semaphore, mpsc};

use super::job::Job;
use crate::pipeline::estate::Estate;

/// Fixes validated at once: each step may use all the CPUs that the estate allows it.
const AT_ONCE: usize = 2;

/// Runs jobs in the sandbox, a few at once; fixes of one base share its baseline.
pub struct Runner {
    sandbox: Arc<dyn Sandbox>,
    events: Arc<dyn EventSink>,
    baselines: Arc<Mutex<BTreeMap<Digest, Arc<OnceCell<Baseline>>>>>,
    seats: Arc<Semaphore>,
}

/// A fix, its job's key, and what was found out.
pub type Finished = (Digest, Digest, EvidenceRecord);

impl Runner {
    /// Connects to the sandbox and takes away what killed runs left.
    ///
    /// # Errors
    /// When there is no sandbox to be had; the message says what to do.
    pub async fn start(estate: &Estate, run: &str, events: Arc<dyn EventSink>) -> Result<Self> {
        let sandbox = DockerSandbox::connect(SandboxSettings::new(estate.config.sandbox.clone(), run)).await?;
        sandbox.sweep().await.context("taking away what a killed run left")?;
        Ok(Self {
            sandbox: Arc::new(sandbox),
            events,
            baselines: Arc::default(),
            seats: Arc::new(Semaphore::new(AT_ONCE)),
        })
    }

    /// Which sandbox, and how isolated.
    pub fn describe(&self) -> String {
        self.sandbox.describe()
    }

    /// Starts every job; results come as they are ready.
    pub fn all(&self, jobs: BTreeMap<Digest, Job>) -> mpsc::Receiver<Finished> {
        let (sender, receiver) = mpsc::channel(AT_ONCE);
        for (fix, job) in jobs {
            let worker = self.worker();
            let sender = sender.clone();
            tokio::spawn(async move {
                let record = worker.validate(&job).await;
                let _ = sender.send((fix, job.key, record)).await;
            });
        }
        receiver
    }

    /// Validates one job.
    pub async fn one(&self, job: &Job) -> EvidenceRecord {
        self.worker().validate(job).await
    }

    fn worker(&self) -> Worker {
        Worker {
            sandbox: Arc::clone(&self.sandbox),
            events: Arc::clone(&self.events),
            baselines: Arc::clone(&self.baselines),
            seats: Arc::clone(&self.seats),
        }
    }
}

/// What one job's task holds.
struct Worker {
    sandbox: Arc<dyn Sandbox>,
    events: Arc<dyn EventSink>,
    baselines: Arc<Mutex<BTreeMap<Digest, Arc<OnceCell<Baseline>>>>>,
    seats: Arc<Semaphore>,
}

impl Worker {
    async fn validate(&self, job: &Job) -> EvidenceRecord {
        let record = match self.sides(job).await {
            Ok((baseline, candidate)) => compare(&job.plan, &baseline, &candidate, job.knowledge.as_ref()),
            Err(reason) => inconclusive(&job.plan.checks, &self.sandbox.describe(), &reason),
        };
        for (check, result) in &record.evidence.checks {
            self.events.event(Event::CheckFinished {
                subject: job.plan.subject.clone(),
                check: *check,
                verdict: result.verdict,
                reason: result.reason.clone(),
            });
        }
        record
    }

    async fn sides(&self, job: &Job) -> Result<(SideRecord, SideRecord), String> {
        let cell = {
            let mut baselines = self.baselines.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(baselines.entry(job.baseline_key.clone()).or_default())
        };
        let baseline = cell.get_or_try_init(|| self.baseline(job)).await?;
        let _seat = self.seat().await?;
        let (sandbox, knowledge) = (self.sandbox.as_ref(), job.knowledge.as_ref());
        let candidate = run_candidate(sandbox, &job.plan, baseline, knowledge, self.events.as_ref())
            .await
            .map_err(|error| error.to_string())?;
        Ok((baseline.record.clone(), candidate))
    }

    async fn baseline(&self, job: &Job) -> Result<Baseline, String> {
        let _seat = self.seat().await?;
        let (sandbox, knowledge) = (self.sandbox.as_ref(), job.knowledge.as_ref());
        run_baseline(sandbox, &job.plan, None, knowledge, self.events.as_ref())
            .await
            .map_err(|error| error.to_string())
    }

    async fn seat(&self) -> Result<tokio::sync::SemaphorePermit<'_>, String> {
        self.seats.acquire().await.map_err(|error| error.to_string())
    }
}

/// Evidence where the machine failed: nothing is known, and the fix is not to blame.
fn inconclusive(checks: &BTreeSet<Check>, sandbox: &str, reason: &str) -> EvidenceRecord {
    let result = CheckResult {
        verdict: Verdict::Inconclusive,
        reason: format!("it could not be run: {reason}"),
        details: Vec::new(),
    };
    let checks = checks.iter().map(|check| (*check, result.clone())).collect();
    EvidenceRecord {
        evidence: Evidence {
            checks,
            new_findings: Vec::new(),
            sandbox: sandbox.to_owned(),
            isolation: Isolation::Unproven,
            hosts: Vec::new(),
            flaky_tests: Vec::new(),
            candidate_green: None,
        },
        steps: Vec::new(),
    }
}
