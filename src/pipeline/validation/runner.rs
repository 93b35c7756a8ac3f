//! Runs jobs in the sandbox, as many at once as the machine bears; fixes of one base share its baseline,
//! within a run and between runs.

use anyhow::{Context, Result};
use holdpoint_runner::cache::Cache;
use holdpoint_runner::keep::Keeping;
use holdpoint_runner::log_files::{LogBounds, LogFolder};
use holdpoint_runner::proxy::ProxySettings;
use holdpoint_runner::sandbox::snapshot::SnapshotKey;
use holdpoint_runner::schedule::{Budget, Weight};
use holdpoint_runner::track::{STOP_WITHIN, Tracked};
use holdpoint_runner::turns::InTurn;
use holdpoint_runner::validate::{Until, run_candidate_until};
use holdpoint_runner::{Baseline, Sandbox, SideRecord, compare, run_baseline};
use holdpoint_schemas::Digest;
use holdpoint_schemas::event::{Event, EventSink};
use holdpoint_schemas::evidence::{Check, CheckResult, Evidence, EvidenceRecord, Isolation, StepEnd, StepRun, Verdict};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{OnceCell, OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::AbortHandle;

use super::job::{Job, LoadedTrees};
use super::sandbox;
use super::scanning::{self, ScanJob, Scanned};
use crate::failure::BadInput;
use crate::pipeline::estate::Estate;
use crate::pipeline::redact;

/// Folder of kept baselines in the state folder.
pub const BASELINES: &str = "baselines";
/// Folder of the steps' logs in the state folder.
pub const LOGS: &str = "logs";

/// Runs jobs in the sandbox, a few at once; fixes of one base share its baseline.
pub struct Runner {
    shared: Arc<Shared>,
    watch: tokio::task::JoinHandle<()>,
    jobs: Mutex<Vec<AbortHandle>>,
}

/// What all jobs of a run share.
struct Shared {
    sandbox: Arc<Tracked>,
    keeping: Option<Arc<Keeping>>,
    events: Arc<dyn EventSink>,
    baselines: Mutex<BTreeMap<Digest, Arc<OnceCell<Baseline>>>>,
    cache: Option<Cache>,
    logs: LogFolder,
    /// How many jobs are under way at once; their steps take turns.
    seats: Semaphore,
    /// How many jobs have their trees in memory at once.
    room: Arc<Semaphore>,
    trees: Arc<LoadedTrees>,
}

/// What validates, for work that is started with [`Runner::start_work`].
#[derive(Clone)]
pub struct Hand(Arc<Shared>);

impl Hand {
    /// Validates one job.
    pub async fn validate(&self, job: &Job) -> EvidenceRecord {
        self.0.validate(job).await
    }
}

/// A fix, its job's key, and what was found out.
pub type Finished = (Digest, Digest, EvidenceRecord);

impl Runner {
    /// Connects to the sandbox and takes away what killed runs left. From then on Ctrl-C and SIGTERM end its steps
    /// and remove its workspaces before the process ends.
    ///
    /// # Errors
    /// When there is no sandbox to be had; the message says what to do.
    pub async fn start(estate: &Estate, run: &str, events: Arc<dyn EventSink>) -> Result<Self> {
        Self::start_with(estate, run, events, false).await
    }

    /// The same, and where asked to it keeps workspaces in which steps ran, for people to look inside.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub async fn start_with(estate: &Estate, run: &str, events: Arc<dyn EventSink>, keep: bool) -> Result<Self> {
        let config = &estate.config.sandbox;
        // A typo in a host, or a variable that isn't set, is told before anything runs.
        ProxySettings::from_environment(&config.prepare)
            .map_err(|error| BadInput::new(error.to_string(), "correct `sandbox.prepare` in `holdpoint.yaml`"))?;
        let chosen: Arc<dyn Sandbox> = Arc::new(InTurn::new(
            sandbox::connect(estate, run).await?,
            Budget::new(Weight::of_machine()),
        ));
        let keeping = keep.then(|| Arc::new(Keeping::new(Arc::clone(&chosen))));
        let sandbox = Arc::new(Tracked::new(match &keeping {
            Some(keeping) => Arc::clone(keeping) as Arc<dyn Sandbox>,
            None => chosen,
        }));
        sandbox.sweep().await.context("taking away what a killed run left")?;
        let _ = holdpoint_runner::proxy::sweep();
        let state = estate.state();
        let cache = (config.cache.max_mib > 0 && config.cache.max_entries > 0)
            .then(|| Cache::open(state.join(BASELINES), config.cache.clone()))
            .transpose()?;
        let logs = LogFolder::new(
            &state.join(LOGS),
            LogBounds::default(),
            redact::lines(credentials(estate)),
        )
        .context("making the folder of logs")?;
        let watch = tokio::spawn(end_on_signal(Arc::clone(&sandbox)));
        Ok(Self {
            shared: Arc::new(Shared {
                sandbox,
                keeping,
                events,
                baselines: Mutex::default(),
                cache,
                logs,
                seats: Semaphore::new(config.at_once.max(1)),
                room: Arc::new(Semaphore::new(config.at_once.max(1))),
                trees: Arc::default(),
            }),
            watch,
            jobs: Mutex::default(),
        })
    }

    /// How to look inside each workspace that was kept.
    pub fn kept(&self) -> Vec<String> {
        self.shared
            .keeping
            .as_ref()
            .map(|keeping| keeping.kept())
            .unwrap_or_default()
    }

    /// Which sandbox, and how isolated.
    pub fn describe(&self) -> String {
        self.shared.sandbox.describe()
    }

    /// Starts every job, in this order as seats get free; results come as they are ready.
    pub fn all(&self, jobs: Vec<(Digest, Job)>) -> mpsc::Receiver<Finished> {
        let (sender, receiver) = mpsc::channel(jobs.len().max(1));
        for (fix, job) in jobs {
            let shared = Arc::clone(&self.shared);
            let sender = sender.clone();
            self.start_work(async move {
                let record = shared.validate(&job).await;
                let _ = sender.send((fix, job.key, record)).await;
            });
        }
        receiver
    }

    /// Starts work that is broken off when the run's time is over.
    pub fn start_work(&self, work: impl Future<Output = ()> + Send + 'static) {
        let task = tokio::spawn(work);
        let mut jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        jobs.push(task.abort_handle());
    }

    /// What such work validates with.
    pub fn hand(&self) -> Hand {
        Hand(Arc::clone(&self.shared))
    }

    /// Validates one job.
    pub async fn one(&self, job: &Job) -> EvidenceRecord {
        self.shared.validate(job).await
    }

    /// Runs a branch's scanners.
    ///
    /// # Errors
    /// When its workspace can't be made.
    pub async fn scan(&self, job: &ScanJob) -> Result<Scanned> {
        let _seat = self.shared.seats.acquire().await?;
        let scanned = scanning::run(self.shared.sandbox.as_ref(), job, self.shared.events.as_ref()).await;
        // What a signal cut short must not take the place of the last whole scan.
        self.shared.unless_stopped().await;
        scanned
    }

    /// Ends what is under way, since the run's time is over: steps are stopped, workspaces removed, and no result
    /// comes any more.
    pub async fn cut(self) {
        if !self.shared.sandbox.stop(STOP_WITHIN).await.is_nothing() {
            tracing::warn!("not everything could be removed in time; the next run, or `holdpoint gc`, does");
        }
        for job in self.jobs.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            job.abort();
        }
        self.watch.abort();
    }

    /// Ends the run's hold on the sandbox, and keeps the kept baselines within their bounds.
    pub async fn finish(self) {
        self.shared.unless_stopped().await;
        self.watch.abort();
        if let Some(cache) = &self.shared.cache
            && let Err(error) = cache.evict(self.shared.sandbox.as_ref()).await
        {
            tracing::warn!("the kept baselines could not be bounded: {error}");
        }
    }
}

/// What the proxy of `prepare` adds, which no log may hold.
fn credentials(estate: &Estate) -> Vec<String> {
    let credentials = estate.config.sandbox.prepare.credentials.values();
    credentials
        .filter_map(|credential| std::env::var(&credential.env).ok())
        .flat_map(|value| {
            // `Bearer abc`: the part after the scheme is the secret.
            let bare = value.split_whitespace().last().map(str::to_owned);
            [Some(value), bare].into_iter().flatten()
        })
        .collect()
}

/// Waits for Ctrl-C or SIGTERM, cleans up, and ends the process as the signal would have.
async fn end_on_signal(sandbox: Arc<Tracked>) {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return;
    };
    let number = tokio::select! {
        _ = interrupt.recv() => SignalKind::interrupt(),
        _ = terminate.recv() => SignalKind::terminate(),
    };
    eprintln!("\nstopping: ending steps and removing workspaces");
    let stopping = async {
        let left = sandbox.stop(STOP_WITHIN).await;
        // What still runs needs what the sandbox holds for itself; the process ends without dropping it.
        if left.is_nothing()
            && let Err(error) = sandbox.close().await
        {
            tracing::warn!("something of the sandbox is left for the next sweep: {error}");
        }
        left
    };
    let left = tokio::select! {
        left = stopping => left,
        // A second Ctrl-C means now; the next run sweeps.
        _ = interrupt.recv() => std::process::exit(128 + number.as_raw_value()),
    };
    if !left.is_nothing() {
        eprintln!("not everything could be removed in time; the next run, or `holdpoint gc`, does");
    }
    // Exit statuses of what a signal ended (POSIX, "Exit status for commands").
    std::process::exit(128 + number.as_raw_value());
}

impl Shared {
    async fn validate(&self, job: &Job) -> EvidenceRecord {
        let loaded = match self.load(job).await {
            Ok(loaded) => loaded,
            Err(reason) => return inconclusive(job.checks(), &self.sandbox.describe(), &reason),
        };
        let (_room, job) = &loaded;
        let mut sides = self.sides(job).await;
        if sides
            .as_ref()
            .is_ok_and(|(baseline, candidate)| never_ran(baseline, candidate))
            && self.give_up(job).await
        {
            sides = self.sides(job).await;
        }
        self.unless_stopped().await;
        let record = match sides {
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

    /// The job with its trees, once there is room for them: as many as there are seats.
    async fn load(&self, job: &Job) -> Result<(OwnedSemaphorePermit, Job), String> {
        let room = Arc::clone(&self.room).acquire_owned().await;
        let room = room.map_err(|error| error.to_string())?;
        let (job, trees) = (job.clone(), Arc::clone(&self.trees));
        let loaded = tokio::task::spawn_blocking(move || job.loaded(&trees)).await;
        let job = loaded.map_err(|error| error.to_string())?;
        Ok((room, job.map_err(|error| format!("{error:#}"))?))
    }

    /// After a signal there is nothing to report: the process is about to end, when all is cleaned up.
    async fn unless_stopped(&self) {
        if self.sandbox.stopped().is_cancelled() {
            std::future::pending::<()>().await;
        }
    }

    /// Forgets a kept baseline from which nothing could start. Whether there was one.
    async fn give_up(&self, job: &Job) -> bool {
        let (Some(cache), Some(key)) = (&self.cache, job.snapshot_key(self.sandbox.as_ref())) else {
            return false;
        };
        if cache.get(&key).is_none() {
            return false;
        }
        tracing::warn!("nothing could start from the kept baseline {key}; it is made anew");
        cache.forget(&key);
        let _ = self.sandbox.drop_snapshot(&key).await;
        let mut baselines = self.baselines.lock().unwrap_or_else(PoisonError::into_inner);
        baselines.remove(&job.baseline_key);
        true
    }

    async fn sides(&self, job: &Job) -> Result<(SideRecord, SideRecord), String> {
        let cell = {
            let mut baselines = self.baselines.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(baselines.entry(job.baseline_key.clone()).or_default())
        };
        // Held until the candidate is done, so that nobody evicts what it starts from.
        let key = job.snapshot_key(self.sandbox.as_ref());
        let _hold = match (&self.cache, &key) {
            (Some(cache), Some(key)) => Some(cache.hold(key).await.map_err(|error| error.to_string())?),
            _ => None,
        };
        let baseline = cell.get_or_try_init(|| self.baseline(job, key.as_ref())).await?;
        let _seat = self.seats.acquire().await.map_err(|error| error.to_string())?;
        let events = self.logs.watch(&job.plan.subject, self.events.as_ref());
        let until = job.settled.as_deref().map(|settled| Until {
            judge: job.knowledge.as_ref(),
            settled,
        });
        let candidate = run_candidate_until(
            self.sandbox.as_ref(),
            &job.plan,
            baseline,
            job.knowledge.as_ref(),
            until,
            &events,
        )
        .await
        .map_err(|error| error.to_string())?;
        Ok((baseline.record.clone(), candidate))
    }

    async fn baseline(&self, job: &Job, key: Option<&SnapshotKey>) -> Result<Baseline, String> {
        if let Some(kept) = self.kept(job, key).await {
            return Ok(kept);
        }
        let _seat = self.seats.acquire().await.map_err(|error| error.to_string())?;
        let events = self.logs.watch(&job.plan.subject, self.events.as_ref());
        let key = key.filter(|_| self.cache.is_some());
        let baseline = run_baseline(self.sandbox.as_ref(), &job.plan, key, job.knowledge.as_ref(), &events)
            .await
            .map_err(|error| error.to_string())?;
        if let (Some(cache), Some(key)) = (&self.cache, key)
            && baseline.snapshot.is_some()
            && baseline.record.is_settled()
            && let Err(error) = cache.put(key, &baseline)
        {
            tracing::warn!("a baseline could not be kept: {error}");
        }
        Ok(baseline)
    }

    /// A kept baseline that has all that the job asks for, and whose snapshot is still there.
    async fn kept(&self, job: &Job, key: Option<&SnapshotKey>) -> Option<Baseline> {
        let (cache, key) = (self.cache.as_ref()?, key?);
        let kept = cache.get(key)?;
        let there = self.sandbox.snapshots().await.ok()?;
        let usable = kept.record.covers(&job.plan) && there.iter().any(|snapshot| snapshot.key == *key);
        if !usable {
            cache.forget(key);
            // The snapshot would be in the way of the new one.
            let _ = self.sandbox.drop_snapshot(key).await;
            return None;
        }
        Some(kept)
    }
}

/// Whether the candidate's steps were lost before any of them began by itself, though the baseline's did.
fn never_ran(baseline: &SideRecord, candidate: &SideRecord) -> bool {
    let lost = |step: &StepRun| matches!(step.end, StepEnd::Infrastructure { .. } | StepEnd::EngineLost { .. });
    let own = |step: &&StepRun| !step.step.starts_with("rescan:");
    let mut steps = candidate.steps.iter().filter(own).peekable();
    baseline.steps.iter().any(|step| step.end.is_success()) && steps.peek().is_some() && steps.all(lost)
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
