//! One step in one container, removed on every path.

use bollard::Docker;
use bollard::container::{AttachContainerResults, LogOutput};
use bollard::models::ContainerState;
use bollard::query_parameters::{
    AttachContainerOptionsBuilder, CreateContainerOptionsBuilder, InspectContainerOptions, KillContainerOptions,
    StartContainerOptions, WaitContainerOptionsBuilder,
};
use futures_util::StreamExt as _;
use holdpoint_schemas::evidence::StepEnd;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::io::AsyncWriteExt as _;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::{DockerSandbox, REQUEST, bounded, one_line, profile, remove_container};
use crate::error::SandboxError;
use crate::sandbox::control::Control;
use crate::sandbox::output::{Output, Source};
use crate::sandbox::{OnLine, StepOutcome, StepSpec, WorkspaceId};

/// What the shell answers when it can't find a command (POSIX, "Exit status for commands").
const COMMAND_NOT_FOUND: i64 = 127;
/// For output that is still in the pipe when the container has ended.
const DRAIN: Duration = Duration::from_secs(5);
/// How long the engine may lag behind with the news that the kernel ran out of memory.
const OOM_NEWS: Duration = Duration::from_millis(100);
/// Lines between the stream and a listener.
const LINE_QUEUE: usize = 1_024;

impl DockerSandbox {
    pub(super) async fn run_step(&self, workspace: &WorkspaceId, step: &StepSpec, on_line: OnLine<'_>) -> StepOutcome {
        let (sender, lines) = mpsc::channel(LINE_QUEUE);
        let bounded = self.rules.controls.has(Control::OutputBound);
        let output = Arc::new(Mutex::new(Output::new(
            if bounded { step.limits.log_bytes } else { usize::MAX },
            step.capture_bytes,
            sender,
        )));
        let mut guard = ContainerGuard {
            docker: self.docker.clone(),
            name: Some(self.fresh_name()),
        };
        let name = guard.name.clone().unwrap_or_default();
        let began = Instant::now();
        let end = match self.drive(&name, workspace, step, &output, lines, on_line).await {
            Ok(end) => end,
            Err(error) => StepEnd::Infrastructure {
                reason: error.to_string(),
            },
        };
        let millis = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        guard.remove().await;
        let (forward, _) = mpsc::channel(1);
        let gathered = std::mem::replace(&mut *lock(&output), Output::new(0, 0, forward));
        let (tail, captured, capture_cut) = gathered.finish();
        StepOutcome {
            end,
            millis,
            tail,
            captured,
            capture_cut,
        }
    }

    async fn drive(
        &self,
        name: &str,
        workspace: &WorkspaceId,
        step: &StepSpec,
        output: &Arc<Mutex<Output>>,
        mut lines: mpsc::Receiver<String>,
        on_line: OnLine<'_>,
    ) -> Result<StepEnd, SandboxError> {
        let body = profile::container(&self.image, self.labels(), workspace, step, &self.rules);
        let options = CreateContainerOptionsBuilder::default().name(name).build();
        bounded(
            "create a container",
            REQUEST,
            self.docker.create_container(Some(options), body),
        )
        .await?;
        let options = AttachContainerOptionsBuilder::default()
            .stream(true)
            .stdin(step.stdin.is_some())
            .stdout(true)
            .stderr(true)
            .build();
        let attached = bounded(
            "attach to a container",
            REQUEST,
            self.docker.attach_container(name, Some(options)),
        );
        let mut streams = Streams::of(attached.await?, step.stdin.clone(), Arc::clone(output));

        let start = self.docker.start_container(name, None::<StartContainerOptions>);
        if let Err(error) = bounded("start a container", REQUEST, start).await {
            return if is_missing_shell(&error) {
                Ok(StepEnd::MissingTool)
            } else {
                Err(error)
            };
        }
        let mut wait = Box::pin(self.docker.wait_container(
            name,
            Some(WaitContainerOptionsBuilder::default().condition("not-running").build()),
        ));
        let deadline = tokio::time::sleep(if self.rules.controls.has(Control::TimeBound) {
            step.limits.wall
        } else {
            Duration::MAX
        });
        tokio::pin!(deadline);
        let ended = loop {
            tokio::select! {
                // The status is read by `inspect` below; the stream only says when. A stream that
                // breaks is no end: `inspect` then finds the container running.
                _ = wait.next() => break true,
                () = &mut deadline => break false,
                Some(line) = lines.recv() => on_line(&line),
            }
        };
        if !ended {
            // A stalled reader would make the next requests hang, so it goes first.
            streams.cut();
            let kill = self.docker.kill_container(name, None::<KillContainerOptions>);
            if let Err(error) = bounded("kill a container", REQUEST, kill).await {
                tracing::debug!("after a time-out: {error}");
            }
        }
        streams.drain(&mut lines, on_line).await;
        let state = self.final_state(name).await?;
        Ok(classify(&state, ended, step.limits.wall))
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

/// What the engine's record of a container means. Pure: this is all there is to it.
fn classify(state: &ContainerState, ended: bool, wall: Duration) -> StepEnd {
    // The exit status of a step whose child was killed can be anything, 0 included.
    if state.oom_killed == Some(true) {
        return StepEnd::OutOfMemory;
    }
    if !ended {
        return StepEnd::TimedOut {
            after_seconds: wall.as_secs(),
        };
    }
    if state.running == Some(true) {
        return StepEnd::Infrastructure {
            reason: "the engine lost track of the container".to_owned(),
        };
    }
    if let Some(error) = state.error.as_deref().filter(|error| !error.is_empty()) {
        return StepEnd::Infrastructure {
            reason: one_line(error),
        };
    }
    match state.exit_code {
        Some(COMMAND_NOT_FOUND) => StepEnd::MissingTool,
        Some(code) => StepEnd::Exited { code },
        None => StepEnd::Infrastructure {
            reason: "the engine has no exit status".to_owned(),
        },
    }
}

/// The engine's words when the image has no shell.
fn is_missing_shell(error: &SandboxError) -> bool {
    matches!(error, SandboxError::Engine { reason, .. }
        if reason.contains("/bin/sh") && reason.contains("no such file or directory"))
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

/// Removes the container, also when the step's future is dropped half-way.
struct ContainerGuard {
    docker: Docker,
    name: Option<String>,
}

impl ContainerGuard {
    async fn remove(&mut self) {
        if let Some(name) = self.name.clone() {
            if let Err(error) = remove_container(&self.docker, &name).await {
                tracing::warn!("a container was left behind for the next sweep: {error}");
            }
            self.name = None;
        }
    }
}

impl Drop for ContainerGuard {
    fn drop(&mut self) {
        if let (Some(name), Ok(runtime)) = (self.name.take(), tokio::runtime::Handle::try_current()) {
            let docker = self.docker.clone();
            runtime.spawn(async move {
                if let Err(error) = remove_container(&docker, &name).await {
                    tracing::warn!("a container was left behind for the next sweep: {error}");
                }
            });
        }
    }
}

/// A poisoned lock only means that a reader panicked; what it gathered until then is still true.
fn lock(output: &Mutex<Output>) -> std::sync::MutexGuard<'_, Output> {
    output.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WALL: Duration = Duration::from_secs(9);

    fn exited(code: i64) -> ContainerState {
        ContainerState {
            exit_code: Some(code),
            running: Some(false),
            ..ContainerState::default()
        }
    }

    #[test]
    fn out_of_memory_is_told_by_the_flag_whatever_the_status() {
        for code in [0, 101, 137] {
            let state = ContainerState {
                oom_killed: Some(true),
                ..exited(code)
            };
            assert_eq!(classify(&state, true, WALL), StepEnd::OutOfMemory);
        }
        assert_eq!(classify(&exited(137), true, WALL), StepEnd::Exited { code: 137 });
    }

    #[test]
    fn a_step_past_its_deadline_timed_out_whatever_the_kill_left() {
        assert_eq!(
            classify(&exited(137), false, WALL),
            StepEnd::TimedOut { after_seconds: 9 }
        );
    }

    #[test]
    fn what_the_engine_cannot_say_is_the_engines_fault() {
        let states = [
            ContainerState {
                running: Some(true),
                ..exited(0)
            },
            ContainerState {
                error: Some("no space left on device".to_owned()),
                ..exited(128)
            },
            ContainerState::default(),
        ];
        for state in states {
            assert!(
                matches!(classify(&state, true, WALL), StepEnd::Infrastructure { .. }),
                "{state:?}"
            );
        }
    }

    #[test]
    fn an_unknown_command_is_a_missing_tool() {
        assert_eq!(classify(&exited(127), true, WALL), StepEnd::MissingTool);
        assert_eq!(classify(&exited(1), true, WALL), StepEnd::Exited { code: 1 });
    }
}
