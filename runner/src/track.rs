//! Stops and cleans up on a signal: a sandbox that knows what it has handed out.
//!
//! A killed process leaves its containers to the next sweep. One that gets SIGINT or SIGTERM can do
//! better: [`Tracked::stop`] ends every running step, lets workspaces that are just being made come
//! to be, and removes all of them, within a bound.

use async_trait::async_trait;
use futures_util::future::join_all;
use holdpoint_schemas::evidence::StepEnd;
use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::error::SandboxError;
use crate::sandbox::control::IsolationReport;
use crate::sandbox::snapshot::{SnapshotInfo, SnapshotKey, TreeChange};
use crate::sandbox::{OnLine, Sandbox, StepOutcome, StepSpec, Swept, WorkspaceId};

/// Time for [`Tracked::stop`] that people wait for without pressing Ctrl-C again.
pub const STOP_WITHIN: Duration = Duration::from_secs(10);

/// Between two tries to remove a workspace.
const TRY_AGAIN: Duration = Duration::from_millis(100);

/// A sandbox that can be stopped. Everything else goes through to the one behind it.
pub struct Tracked {
    inner: Arc<dyn Sandbox>,
    stopped: CancellationToken,
    live: Mutex<HashSet<WorkspaceId>>,
    /// Calls under way that hold or make something.
    busy: watch::Sender<usize>,
}

/// What a stop could not clean up in time. The next sweep takes it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Left {
    /// Calls that had not ended.
    pub calls: usize,
    /// Workspaces that are still there, or may be, as the log names them, sorted.
    pub workspaces: Vec<String>,
}

impl Left {
    /// Whether everything is gone.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        self.calls == 0 && self.workspaces.is_empty()
    }
}

/// Counts one call for as long as it runs, also when its caller drops it.
struct Call<'a>(&'a watch::Sender<usize>);

impl Drop for Call<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|busy| *busy = busy.saturating_sub(1));
    }
}

impl Tracked {
    /// Watches over a sandbox.
    #[must_use]
    pub fn new(inner: Arc<dyn Sandbox>) -> Self {
        Self {
            inner,
            stopped: CancellationToken::new(),
            live: Mutex::new(HashSet::new()),
            busy: watch::Sender::new(0),
        }
    }

    /// Cancelled as soon as [`Self::stop`] is called, for what else has to end then.
    #[must_use]
    pub fn stopped(&self) -> CancellationToken {
        self.stopped.clone()
    }

    /// Ends every step, refuses new work, and removes every workspace that this sandbox has handed
    /// out, within `within`. May be called again for what was left.
    pub async fn stop(&self, within: Duration) -> Left {
        let deadline = Instant::now() + within;
        self.stopped.cancel();
        let mut busy = self.busy.subscribe();
        // Whether or not they end in time: what is known by then is removed.
        let _ = tokio::time::timeout_at(deadline - within / 2, busy.wait_for(|calls| *calls == 0)).await;
        let live: Vec<WorkspaceId> = self.live().iter().cloned().collect();
        let removals = live.into_iter().map(|workspace| async move {
            // An engine lets go of what a step has used only some time after the step.
            while let Err(error) = self.remove(workspace.clone()).await {
                tracing::debug!("a workspace can't be removed yet: {error}");
                tokio::time::sleep(TRY_AGAIN).await;
            }
        });
        let _ = tokio::time::timeout_at(deadline, join_all(removals)).await;
        let mut workspaces: Vec<String> = self.live().iter().map(|id| id.as_str().to_owned()).collect();
        workspaces.sort_unstable();
        let calls = *self.busy.borrow();
        Left { calls, workspaces }
    }

    fn live(&self) -> MutexGuard<'_, HashSet<WorkspaceId>> {
        // A set is whole after every call on it, so a panic elsewhere can't have left it half-done.
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count(&self) -> Call<'_> {
        self.busy.send_modify(|busy| *busy += 1);
        Call(&self.busy)
    }

    fn call(&self) -> Result<Call<'_>, SandboxError> {
        // Counted before it is looked at: `stop` cancels first and counts then.
        let call = self.count();
        if self.stopped.is_cancelled() {
            return Err(SandboxError::Stopped);
        }
        Ok(call)
    }

    /// Keeps a workspace that was made, unless the stop came meanwhile.
    async fn made(&self, workspace: WorkspaceId) -> Result<WorkspaceId, SandboxError> {
        self.live().insert(workspace.clone());
        if self.stopped.is_cancelled() {
            self.remove(workspace).await?;
            return Err(SandboxError::Stopped);
        }
        Ok(workspace)
    }
}

#[async_trait]
impl Sandbox for Tracked {
    fn describe(&self) -> String {
        self.inner.describe()
    }

    fn programs(&self) -> String {
        self.inner.programs()
    }

    fn isolation(&self) -> IsolationReport {
        self.inner.isolation()
    }

    fn look(&self, workspace: &WorkspaceId) -> Option<String> {
        self.inner.look(workspace)
    }

    async fn workspace(&self, tar: &[u8]) -> Result<WorkspaceId, SandboxError> {
        let _call = self.call()?;
        // Not cut short: what is half made has no name yet by which it could be removed.
        self.made(self.inner.workspace(tar).await?).await
    }

    async fn seal(&self, workspace: WorkspaceId, key: &SnapshotKey) -> Result<SnapshotInfo, SandboxError> {
        let _call = self.call()?;
        let id = workspace.clone();
        let sealed = self.inner.seal(workspace, key).await;
        // It is the snapshot now, or the sandbox had none and it stays.
        if sealed.is_ok() {
            self.live().remove(&id);
        }
        sealed
    }

    async fn snapshots(&self) -> Result<Vec<SnapshotInfo>, SandboxError> {
        self.inner.snapshots().await
    }

    async fn branch(&self, key: &SnapshotKey, change: &TreeChange) -> Result<WorkspaceId, SandboxError> {
        let _call = self.call()?;
        self.made(self.inner.branch(key, change).await?).await
    }

    async fn drop_snapshot(&self, key: &SnapshotKey) -> Result<(), SandboxError> {
        self.inner.drop_snapshot(key).await
    }

    fn expect(&self, workspace: &WorkspaceId, step: &StepSpec) {
        if !self.stopped.is_cancelled() {
            self.inner.expect(workspace, step);
        }
    }

    async fn run(&self, workspace: &WorkspaceId, step: &StepSpec, on_line: OnLine<'_>) -> StepOutcome {
        let begun = Instant::now();
        let Ok(_call) = self.call() else {
            return stopped_step(begun);
        };
        tokio::select! {
            biased;
            // Dropping the run makes the sandbox remove what it runs in.
            () = self.stopped.cancelled() => stopped_step(begun),
            outcome = self.inner.run(workspace, step, on_line) => outcome,
        }
    }

    async fn read_file(
        &self,
        workspace: &WorkspaceId,
        path: &str,
        max_bytes: usize,
    ) -> Result<Option<Vec<u8>>, SandboxError> {
        let _call = self.call()?;
        tokio::select! {
            biased;
            () = self.stopped.cancelled() => Err(SandboxError::Stopped),
            bytes = self.inner.read_file(workspace, path, max_bytes) => bytes,
        }
    }

    async fn remove(&self, workspace: WorkspaceId) -> Result<(), SandboxError> {
        // A stop waits for it: asked to remove what is just being removed, a sandbox says that it isn't there any more.
        let _call = self.count();
        let id = workspace.clone();
        self.inner.remove(workspace).await?;
        self.live().remove(&id);
        Ok(())
    }

    async fn sweep(&self) -> Result<Swept, SandboxError> {
        self.inner.sweep().await
    }

    async fn close(&self) -> Result<(), SandboxError> {
        self.inner.close().await
    }
}

/// A step that a stop cut short says nothing about the fix.
fn stopped_step(begun: Instant) -> StepOutcome {
    StepOutcome {
        end: StepEnd::Infrastructure {
            reason: SandboxError::Stopped.to_string(),
        },
        millis: u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
        tail: String::new(),
        captured: Vec::new(),
        capture_cut: false,
    }
}

#[cfg(test)]
mod tests;
