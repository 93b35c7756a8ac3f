//! One step in one Job, deleted on every path.

use holdpoint_schemas::evidence::StepEnd;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Pod;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use super::api::{ApiError, Cluster};
use super::classify::{Stage, stage};
use super::exec::Program;
use super::profile::Input;
use super::watch::{PodWatch, Seen};
use super::workspace::Holder;
use super::{KubernetesSandbox, logs, script};
use crate::error::SandboxError;
use crate::sandbox::output::Output;
use crate::sandbox::{OnLine, StepOutcome, StepSpec, WorkspaceId};

/// For the rest of a log when the container has ended.
const DRAIN: Duration = Duration::from_secs(10);
/// Lines between the stream and a listener.
const LINE_QUEUE: usize = 1_024;
/// Bytes that `df` may say.
const MAX_DF_BYTES: usize = 4 << 10;

/// Why a step has no end of its own.
enum Failure {
    /// Before it was handed to the cluster, or because the cluster refused it.
    Infrastructure(String),
    /// The cluster doesn't say any more what became of it.
    Lost(String),
}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        let is_gone = matches!(error, ApiError::Gone { .. });
        let reason = SandboxError::from(error).to_string();
        if is_gone {
            Self::Lost(reason)
        } else {
            Self::Infrastructure(reason)
        }
    }
}

impl From<SandboxError> for Failure {
    fn from(error: SandboxError) -> Self {
        Self::Infrastructure(error.to_string())
    }
}

impl From<Failure> for StepEnd {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Infrastructure(reason) => Self::Infrastructure { reason },
            Failure::Lost(reason) => Self::EngineLost { reason },
        }
    }
}

impl KubernetesSandbox {
    pub(super) async fn run_step(&self, workspace: &WorkspaceId, step: &StepSpec, on_line: OnLine<'_>) -> StepOutcome {
        let (sender, lines) = mpsc::channel(LINE_QUEUE);
        // What is captured doesn't come by the log.
        let output = Arc::new(Mutex::new(Output::new(step.limits.log_bytes, 0, sender)));
        let mut run = StepRunning {
            sandbox: self,
            step,
            output: Arc::clone(&output),
            lines,
            on_line,
            since: Instant::now(),
        };
        let (end, captured) = match run.go(workspace).await {
            Ok(ended) => ended,
            Err(failure) => (failure.into(), Vec::new()),
        };
        let millis = u64::try_from(run.since.elapsed().as_millis()).unwrap_or(u64::MAX);
        let (forward, _) = mpsc::channel(1);
        let gathered = std::mem::replace(&mut *lock(&output), Output::new(0, 0, forward));
        let capture_cut = captured.len() > step.capture_bytes;
        let mut captured = captured;
        captured.truncate(step.capture_bytes);
        StepOutcome {
            end,
            millis,
            tail: gathered.finish().0,
            captured,
            capture_cut,
        }
    }
}

struct StepRunning<'a> {
    sandbox: &'a KubernetesSandbox,
    step: &'a StepSpec,
    output: Arc<Mutex<Output>>,
    lines: mpsc::Receiver<String>,
    on_line: OnLine<'a>,
    /// When the command began to run; before, when the step was asked for.
    since: Instant,
}

impl StepRunning<'_> {
    /// How it ended, and up to one byte more of its standard output than is captured.
    async fn go(&mut self, workspace: &WorkspaceId) -> Result<(StepEnd, Vec<u8>), Failure> {
        if self.step.proxy.is_some() {
            let reason = "a cluster's pods can't reach the filtering proxy of this machine: \
                          steps that fetch packages need the docker or the local sandbox";
            return Err(Failure::Infrastructure(reason.to_owned()));
        }
        let holder = self.sandbox.holder(workspace)?;
        let name = self.sandbox.fresh_name("s");
        let inputs = self.sandbox.inputs(&holder, self.step, &name).await?;
        let job = self
            .sandbox
            .profile
            .step(&name, workspace.as_str(), &holder.as_owner(), self.step, &inputs);
        let cluster = &self.sandbox.cluster;
        let mut guard = JobGuard {
            cluster: cluster.clone(),
            name: Some(name.clone()),
        };
        cluster.create::<Job>("create a job", &name, &job).await?;
        let mut pods = PodWatch::of(cluster, &name);
        let end = self.follow(&name, &mut pods).await;
        guard.remove().await;
        if matches!(end, Ok(StepEnd::TimedOut { .. })) {
            // The next step must not meet this one's processes in the workspace.
            let gone = async { while !matches!(pods.next().await, Seen::Deleted(_) | Seen::Lost(_)) {} };
            if tokio::time::timeout(cluster.patience.request, gone).await.is_err() {
                return Err(Failure::Lost(
                    "the pod of a step that ran out of time does not end".to_owned(),
                ));
            }
        }
        let end = match end? {
            StepEnd::Exited { code } if code != 0 && self.disk_is_full(&holder).await => StepEnd::OutOfDisk,
            end => end,
        };
        let captured = self.captured(&holder, &inputs).await?;
        Ok((end, captured))
    }

    /// Follows the Job's pod to its end, or to the end of its time.
    async fn follow(&mut self, name: &str, pods: &mut PodWatch) -> Result<StepEnd, Failure> {
        let patience = &self.sandbox.cluster.patience;
        let mut log = None;
        let deadline = tokio::time::sleep(patience.queue);
        tokio::pin!(deadline);
        let mut now = Stage::Waiting { why: None };
        let end = loop {
            let seen = tokio::select! {
                seen = pods.next() => seen,
                () = &mut deadline => break self.too_long(&now, name).await?,
                Some(line) = self.lines.recv() => {
                    (self.on_line)(&line);
                    continue;
                }
            };
            let (pod, deleted) = match seen {
                Seen::Nothing => continue,
                Seen::Pod(pod) => (pod, false),
                Seen::Deleted(pod) => (pod, true),
                Seen::Lost(reason) => return Err(Failure::Lost(reason)),
            };
            let next = stage(&pod, self.step.limits.wall);
            if let Stage::Ended(end) = next {
                self.start_log(&mut log, &pod);
                break end;
            }
            if deleted {
                return Err(Failure::Lost("the pod was deleted by somebody else".to_owned()));
            }
            if std::mem::discriminant(&next) != std::mem::discriminant(&now) {
                let wait = match next {
                    Stage::Running => {
                        self.since = Instant::now();
                        self.start_log(&mut log, &pod);
                        self.step.limits.wall
                    }
                    Stage::Stuck { .. } => patience.pull,
                    _ => patience.queue,
                };
                // An image that can't be pulled alternates between two reasons and "creating"; the
                // time that it has runs from the first of them.
                let renew = !matches!((&now, &next), (Stage::Stuck { .. }, Stage::Waiting { .. }));
                if renew {
                    deadline.as_mut().reset(tokio::time::Instant::now() + wait);
                    now = next;
                }
            } else {
                now = next;
            }
        };
        if let Some(log) = log {
            let drained = !matches!(end, StepEnd::TimedOut { .. });
            self.drain(log, drained).await;
        }
        Ok(end)
    }

    /// What it means that a stage took longer than it may.
    async fn too_long(&self, now: &Stage, name: &str) -> Result<StepEnd, Failure> {
        let patience = &self.sandbox.cluster.patience;
        match now {
            Stage::Running => Ok(StepEnd::TimedOut {
                after_seconds: self.step.limits.wall.as_secs(),
            }),
            Stage::Stuck { why } => Err(Failure::Infrastructure(format!(
                "the container can't be started: {why}"
            ))),
            Stage::Waiting { why } => {
                let why = match why {
                    Some(why) => why.clone(),
                    None => self.sandbox.why_no_pod(name).await,
                };
                let seconds = patience.queue.as_secs();
                Err(Failure::Infrastructure(format!(
                    "the cluster did not start the pod within {seconds} s: {why}"
                )))
            }
            Stage::Ended(end) => Ok(end.clone()),
        }
    }

    fn start_log(&self, log: &mut Option<Log>, pod: &Pod) {
        if log.is_some() {
            return;
        }
        let Some(name) = pod.metadata.name.clone() else {
            return;
        };
        let (ended, is_ended) = watch::channel(false);
        let bound = self.step.limits.log_bytes;
        let (cluster, output) = (self.sandbox.cluster.clone(), Arc::clone(&self.output));
        *log = Some(Log {
            task: tokio::spawn(logs::follow(cluster, name, bound, output, is_ended)),
            ended,
        });
    }

    /// Reads what is left of the log, but doesn't wait for ever for its end.
    async fn drain(&mut self, mut log: Log, to_the_end: bool) {
        log.ended.send_replace(true);
        if to_the_end {
            let _ = tokio::time::timeout(DRAIN, &mut log.task).await;
        }
        drop(log);
        while let Ok(line) = self.lines.try_recv() {
            (self.on_line)(&line);
        }
    }

    async fn disk_is_full(&self, holder: &Holder) -> bool {
        let program = Program {
            what: "look at the workspace's disk",
            pod: &holder.pod,
            command: script::free(super::profile::VOLUME_DIR),
            input: None,
            max_output: MAX_DF_BYTES,
        };
        match self.sandbox.cluster.exec(program).await {
            Ok(answer) => script::is_full(&String::from_utf8_lossy(&answer.output)),
            Err(error) => {
                tracing::warn!("a failed step's disk wasn't looked at: {}", SandboxError::from(error));
                false
            }
        }
    }

    async fn captured(&self, holder: &Holder, inputs: &[Input]) -> Result<Vec<u8>, Failure> {
        let Some(capture) = inputs.iter().find(|input| input.inside == script::STDOUT) else {
            return Ok(Vec::new());
        };
        // One byte more, which says that there is more.
        let bound = self.step.capture_bytes.saturating_add(1);
        let found = self.sandbox.head_of(holder, Path::new(&capture.part), bound).await?;
        match found {
            Some((_, bytes)) => Ok(bytes),
            None => Err(Failure::Infrastructure("the step's standard output is gone".to_owned())),
        }
    }
}

/// The task that reads a log; it ends with this.
struct Log {
    task: JoinHandle<()>,
    ended: watch::Sender<bool>,
}

impl Drop for Log {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Deletes the Job and its pod, also when the step's future is dropped half-way.
struct JobGuard {
    cluster: Cluster,
    name: Option<String>,
}

impl JobGuard {
    async fn remove(&mut self) {
        if let Some(name) = self.name.clone() {
            delete_job(&self.cluster, &name).await;
            self.name = None;
        }
    }
}

impl Drop for JobGuard {
    fn drop(&mut self) {
        if let (Some(name), Ok(runtime)) = (self.name.take(), tokio::runtime::Handle::try_current()) {
            let cluster = self.cluster.clone();
            runtime.spawn(async move { delete_job(&cluster, &name).await });
        }
    }
}

async fn delete_job(cluster: &Cluster, name: &str) {
    if let Err(error) = cluster.delete::<Job>("delete a job", name).await {
        let error = SandboxError::from(error);
        tracing::warn!("a job was left behind for the next sweep, or for its own end: {error}");
    }
}

/// A poisoned lock only means that a reader panicked; what it gathered until then is still true.
fn lock(output: &Mutex<Output>) -> MutexGuard<'_, Output> {
    output.lock().unwrap_or_else(PoisonError::into_inner)
}
