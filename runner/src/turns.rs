//! Steps take turns at the machine: a sandbox whose steps wait for their share of CPUs and memory.
//!
//! Only what runs needs a share. Making a workspace, getting a container ready and taking both down is
//! mostly waiting for the engine, so with several candidates at once that is done beside the step of another
//! one, and costs next to nothing.

use async_trait::async_trait;
use holdpoint_schemas::evidence::StepEnd;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

use crate::error::SandboxError;
use crate::sandbox::control::IsolationReport;
use crate::sandbox::snapshot::{SnapshotInfo, SnapshotKey, TreeChange};
use crate::sandbox::{OnLine, Sandbox, StepOutcome, StepSpec, Swept, WorkspaceId};
use crate::schedule::{Budget, Weight};

/// A sandbox whose steps stay within a budget. Everything else goes through to the one behind it.
pub struct InTurn {
    inner: Arc<dyn Sandbox>,
    budget: Budget,
}

impl InTurn {
    /// Lets the steps of this sandbox take turns. A step waits with nothing in its hands, so nobody waits in a
    /// circle; the wait isn't part of the step's time.
    #[must_use]
    pub fn new(inner: Arc<dyn Sandbox>, budget: Budget) -> Self {
        Self { inner, budget }
    }
}

#[async_trait]
impl Sandbox for InTurn {
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
        self.inner.workspace(tar).await
    }

    async fn seal(&self, workspace: WorkspaceId, key: &SnapshotKey) -> Result<SnapshotInfo, SandboxError> {
        self.inner.seal(workspace, key).await
    }

    async fn snapshots(&self) -> Result<Vec<SnapshotInfo>, SandboxError> {
        self.inner.snapshots().await
    }

    async fn branch(&self, key: &SnapshotKey, change: &TreeChange) -> Result<WorkspaceId, SandboxError> {
        self.inner.branch(key, change).await
    }

    async fn drop_snapshot(&self, key: &SnapshotKey) -> Result<(), SandboxError> {
        self.inner.drop_snapshot(key).await
    }

    fn expect(&self, workspace: &WorkspaceId, step: &StepSpec) {
        self.inner.expect(workspace, step);
    }

    async fn run(&self, workspace: &WorkspaceId, step: &StepSpec, on_line: OnLine<'_>) -> StepOutcome {
        let never = CancellationToken::new();
        match self.budget.share(Weight::from(&step.limits), &never).await {
            Ok(_share) => self.inner.run(workspace, step, on_line).await,
            Err(cancelled) => StepOutcome {
                end: StepEnd::Infrastructure {
                    reason: cancelled.to_string(),
                },
                millis: 0,
                tail: String::new(),
                captured: Vec::new(),
                capture_cut: false,
            },
        }
    }

    async fn read_file(
        &self,
        workspace: &WorkspaceId,
        path: &str,
        max_bytes: usize,
    ) -> Result<Option<Vec<u8>>, SandboxError> {
        self.inner.read_file(workspace, path, max_bytes).await
    }

    async fn remove(&self, workspace: WorkspaceId) -> Result<(), SandboxError> {
        self.inner.remove(workspace).await
    }

    async fn sweep(&self) -> Result<Swept, SandboxError> {
        self.inner.sweep().await
    }

    async fn close(&self) -> Result<(), SandboxError> {
        self.inner.close().await
    }
}

#[cfg(test)]
mod tests;
