//! One step in one container, removed on every path.

use bollard::Docker;
use bollard::container::{AttachContainerResults, LogOutput};
use bollard::models::{ContainerCreateBody, ContainerState};
use bollard::query_parameters::{
    AttachContainerOptionsBuilder, EventsOptionsBuilder, InspectContainerOptions, KillContainerOptions,
    StartContainerOptions,
};
use futures_util::StreamExt as _;
use holdpoint_schemas::evidence::StepEnd;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::io::AsyncWriteExt as _;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::DockerSandbox;
use super::ahead::Ahead;
use super::ending::{self, Stop, classify};
use super::engine::{REQUEST, bounded, remove_container};
use super::profile;
use super::watch::Watch;
use super::workspace::Workspace;
use crate::error::SandboxError;
use crate::sandbox::control::Control;
use crate::sandbox::full_disk::or_full_disk;
use crate::sandbox::output::{Output, Source};
use crate::sandbox::{OnLine, StepOutcome, StepSpec, WorkspaceId};

/// For output that is still in the pipe when the container has ended.
const DRAIN: Duration = Duration::from_secs(5);
/// How long the engine may lag behind with the news that the kernel ran out of memory.
const OOM_NEWS: Duration = Duration::from_millis(100);
/// Of a processor, in a second.
const NANOS: i64 = 1_000_000_000;
/// Lines between the stream and a listener.
const LINE_QUEUE: usize = 1_024;
/// How far back the engine's reports are asked for: a start may overtake the request for them.
const REPORTS_SINCE: u64 = 60;

/// What a container is given, and how long it may take.
struct Run<'a> {
    body: ContainerCreateBody,
    stdin: Option<&'a [u8]>,
    wall: Duration,
    watch: Watch<'a>,
}

impl DockerSandbox {
    pub(super) fn expect_step(&self, id: &WorkspaceId, step: &StepSpec) {
        if let Ok(workspace) = self.known(id) {
            let body = self.step_body(id, step);
            workspace.ahead.expect(&self.docker, self.fresh_name(), body);
        }
    }

    /// Bytes of output looked at.
    fn log_bytes(&self, step: &StepSpec) -> usize {
        if self.rules.controls.has(Control::OutputBound) {
            step.limits.log_bytes
        } else {
            usize::MAX
        }
    }

    fn wall(&self, step: &StepSpec) -> Duration {
        if self.rules.controls.has(Control::TimeBound) {
            step.limits.wall
        } else {
            Duration::MAX
        }
    }

    fn step_body(&self, id: &WorkspaceId, step: &StepSpec) -> ContainerCreateBody {
        let mut body = profile::container(&self.image, self.labels(), id, step, &self.rules);
        if let Some(host) = &mut body.host_config {
            host.runtime.clone_from(&self.runtime);
            // The engine refuses more than it has, which would bound nothing.
            let most = self.cpus.map(|cpus| cpus.saturating_mul(NANOS));
            host.nano_cpus = host.nano_cpus.map(|asked| most.map_or(asked, |most| asked.min(most)));
        }
        body
    }

    pub(super) async fn run_step(&self, id: &WorkspaceId, step: &StepSpec, on_line: OnLine<'_>) -> StepOutcome {
        let began = Instant::now();
        let (sender, lines) = mpsc::channel(LINE_QUEUE);
        let output = Output::new(self.log_bytes(step), step.capture_bytes, sender);
        let output = Arc::new(Mutex::new(output));
        let end = match self.known(id) {
            Ok(workspace) => {
                let run = Run {
                    body: self.step_body(id, step),
                    stdin: step.stdin.as_deref(),
                    wall: self.wall(step),
                    watch: self.watch(&workspace, &step.limits),
                };
                self.run_in(Some(&workspace), run, &output, lines, on_line).await
            }
            Err(error) => ending::of_error(&error),
        };
        let millis = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let (tail, captured, capture_cut) = gather(&output);
        StepOutcome {
            end: or_full_disk(end, &tail, &captured),
            millis,
            tail,
            captured,
            capture_cut,
        }
    }

    /// A step of ours: how it ended, and its standard output.
    pub(super) async fn run_own(&self, body: ContainerCreateBody, wall: Duration, bytes: usize) -> (StepEnd, Vec<u8>) {
        let (sender, lines) = mpsc::channel(LINE_QUEUE);
        let output = Arc::new(Mutex::new(Output::new(bytes, bytes, sender)));
        let run = Run {
            body,
            stdin: None,
            wall,
            watch: Watch::nothing(),
        };
        let end = self.run_in(None, run, &output, lines, &|_| {}).await;
        let (_, captured, cut) = gather(&output);
        let end = if cut {
            StepEnd::Infrastructure {
                reason: format!("it wrote more than {bytes} bytes"),
            }
        } else {
            end
        };
        (end, captured)
    }

    /// A step of ours beside one of the workspace's: how it ended, should it end.
    pub(super) async fn run_beside(
        &self,
        workspace: &Arc<Workspace>,
        body: ContainerCreateBody,
        on_line: OnLine<'_>,
    ) -> StepEnd {
        let (sender, lines) = mpsc::channel(LINE_QUEUE);
        let output = Arc::new(Mutex::new(Output::new(usize::MAX, 0, sender)));
        let run = Run {
            body,
            stdin: None,
            wall: Duration::MAX,
            watch: Watch::nothing(),
        };
        self.run_in(Some(workspace), run, &output, lines, on_line).await
    }

    async fn run_in(
        &self,
        workspace: Option<&Arc<Workspace>>,
        run: Run<'_>,
        output: &Arc<Mutex<Output>>,
        lines: mpsc::Receiver<String>,
        on_line: OnLine<'_>,
    ) -> StepEnd {
        let mut guard = ContainerGuard {
            docker: self.docker.clone(),
            workspace: workspace.cloned(),
            name: self.fresh_name(),
            gone: false,
        };
        let alone = Ahead::default();
        let ahead = workspace.map_or(&alone, |workspace| &workspace.ahead);
        match ahead.get(&self.docker, &guard.name, run.body.clone()).await {
            Ok(Some(made)) => guard.name = made,
            Ok(None) => {}
            Err(error) => return ending::of_error(&error),
        }
        let end = match self.drive(&guard.name, run, output, lines, on_line).await {
            Ok(end) => end,
            Err(error) => ending::of_error(&error),
        };
        // A container that ended is only a record, and an engine that is away removes nothing now.
        // Anything else may still run, and must be gone before the next step begins.
        let later = matches!(
            end,
            StepEnd::Exited { .. } | StepEnd::MissingTool | StepEnd::EngineLost { .. }
        );
        if workspace.is_none() || !later {
            guard.remove().await;
        }
        end
    }

    async fn drive(
        &self,
        name: &str,
        mut run: Run<'_>,
        output: &Arc<Mutex<Output>>,
        mut lines: mpsc::Receiver<String>,
        on_line: OnLine<'_>,
    ) -> Result<StepEnd, SandboxError> {
        let mut reports = Reports::of(&self.docker, name);
        let options = AttachContainerOptionsBuilder::default()
            .stream(true)
            .stdin(run.stdin.is_some())
            .stdout(true)
            .stderr(true)
            .build();
        let attached = bounded(
            "attach to a container",
            REQUEST,
            self.docker.attach_container(name, Some(options)),
        );
        let mut streams = Streams::of(attached.await?, run.stdin.map(<[u8]>::to_vec), Arc::clone(output));
        let start = self.docker.start_container(name, None::<StartContainerOptions>);
        bounded("start a container", REQUEST, start).await?;
        let deadline = tokio::time::sleep(run.wall);
        tokio::pin!(deadline);
        let stop = loop {
            tokio::select! {
                ended = &mut reports.task => break ended.unwrap_or_else(|error| Stop::Lost(error.to_string())),
                () = &mut deadline => break Stop::Deadline,
                stopped = run.watch.until_full() => break stopped,
                Some(line) = lines.recv() => on_line(&line),
            }
        };
        if !matches!(stop, Stop::Died { .. }) {
            // A stalled reader would make the next requests hang, so it goes first.
            streams.cut();
            let kill = self.docker.kill_container(name, None::<KillContainerOptions>);
            if let Err(error) = bounded("kill a container", REQUEST, kill).await {
                tracing::debug!("while ending a step: {error}");
            }
        }
        streams.drain(&mut lines, on_line).await;
        let stop = if run.watch.was_full() { Stop::DiskFull } else { stop };
        let state = match &stop {
            Stop::Lost(_) => ContainerState::default(),
            _ => self.final_state(name).await?,
        };
        Ok(classify(&state, &stop, run.wall))
    }

    async fn final_state(&self, name: &str) -> Result<ContainerState, SandboxError> {
        let mut state = self.state(name).await?;
        if state.exit_code != Some(0) && state.oom_killed != Some(true) {
            // The engine hears of the kernel's kill and of the exit on two ways.
            tokio::time::sleep(OOM_NEWS).await;
            state = self.state(name).await?;
        }
        Ok(state)
    }

    async fn state(&self, name: &str) -> Result<ContainerState, SandboxError> {
        let inspect = self.docker.inspect_container(name, None::<InspectContainerOptions>);
        Ok(bounded("inspect a container", REQUEST, inspect)
            .await?
            .state
            .unwrap_or_default())
    }
}

/// The engine's reports on one container, up to its end. They come over a connection of their own and in
/// order: an engine that is shut down stops its containers, which looks like an exit, but says so here.
struct Reports {
    task: JoinHandle<Stop>,
}

impl Reports {
    fn of(docker: &Docker, name: &str) -> Self {
        let filters = HashMap::from([("container", vec![name]), ("event", vec!["kill", "die"])]);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let since = now.as_secs().saturating_sub(REPORTS_SINCE).to_string();
        let options = EventsOptionsBuilder::default().since(&since).filters(&filters).build();
        let docker = docker.clone();
        let task = tokio::spawn(async move {
            let mut reports = Box::pin(docker.events(Some(options)));
            let mut killed = false;
            loop {
                match reports.next().await {
                    Some(Ok(report)) => match report.action.as_deref() {
                        Some("die") => return Stop::Died { killed },
                        Some("kill") => killed = true,
                        _ => {}
                    },
                    Some(Err(error)) => return Stop::Lost(super::one_line(&error.to_string())),
                    None => return Stop::Lost("the container engine broke off its reports".to_owned()),
                }
            }
        });
        Self { task }
    }
}

impl Drop for Reports {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The attached streams, each served by a task of its own: a reader that stalls would stall the
/// engine's other answers about this container.
struct Streams {
    reader: JoinHandle<()>,
    writer: Option<JoinHandle<()>>,
}

impl Streams {
    fn of(attached: AttachContainerResults, stdin: Option<Vec<u8>>, output: Arc<Mutex<Output>>) -> Self {
        let AttachContainerResults {
            output: mut stream,
            mut input,
        } = attached;
        let reader = tokio::spawn(async move {
            while let Some(Ok(chunk)) = stream.next().await {
                let (source, bytes) = match &chunk {
                    LogOutput::StdErr { message } => (Source::Stderr, message),
                    LogOutput::StdOut { message } | LogOutput::Console { message } => (Source::Stdout, message),
                    LogOutput::StdIn { .. } => continue,
                };
                lock(&output).push(source, bytes);
            }
        });
        let writer = stdin.map(|bytes| {
            tokio::spawn(async move {
                // A step that doesn't read its input breaks the pipe; its exit status says the rest.
                let _ = input.write_all(&bytes).await;
                let _ = input.shutdown().await;
            })
        });
        Self { reader, writer }
    }

    fn cut(&mut self) {
        self.reader.abort();
        if let Some(writer) = &self.writer {
            writer.abort();
        }
    }

    /// Reads what is left, but doesn't wait for ever for its end.
    async fn drain(&mut self, lines: &mut mpsc::Receiver<String>, on_line: OnLine<'_>) {
        let _ = tokio::time::timeout(DRAIN, &mut self.reader).await;
        self.cut();
        while let Ok(line) = lines.try_recv() {
            on_line(&line);
        }
    }
}

impl Drop for Streams {
    fn drop(&mut self) {
        self.cut();
    }
}

/// Removes the container, also when the step's future is dropped half-way. In the background where a
/// workspace waits for that before it goes itself.
struct ContainerGuard {
    docker: Docker,
    workspace: Option<Arc<Workspace>>,
    name: String,
    gone: bool,
}

impl ContainerGuard {
    async fn remove(&mut self) {
        if let Err(error) = remove_container(&self.docker, &self.name).await {
            tracing::warn!("a container was left behind for the next sweep: {error}");
        }
        self.gone = true;
    }
}

impl Drop for ContainerGuard {
    fn drop(&mut self) {
        if self.gone || tokio::runtime::Handle::try_current().is_err() {
            return;
        }
        let name = std::mem::take(&mut self.name);
        match &self.workspace {
            Some(workspace) => workspace.ahead.leave(&self.docker, name),
            None => Ahead::default().leave(&self.docker, name),
        }
    }
}

fn gather(output: &Mutex<Output>) -> (String, Vec<u8>, bool) {
    let (forward, _) = mpsc::channel(1);
    std::mem::replace(&mut *lock(output), Output::new(0, 0, forward)).finish()
}

/// A poisoned lock only means that a reader panicked; what it gathered until then is still true.
fn lock(output: &Mutex<Output>) -> std::sync::MutexGuard<'_, Output> {
    output.lock().unwrap_or_else(PoisonError::into_inner)
}
