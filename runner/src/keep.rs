//! Keeps the candidates' workspaces for people to look inside: `holdpoint validate --keep`.

use async_trait::async_trait;
use holdpoint_schemas::evidence::Side;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::SandboxError;
use crate::sandbox::control::IsolationReport;
use crate::sandbox::snapshot::{SnapshotInfo, SnapshotKey, TreeChange};
use crate::sandbox::{OnLine, Sandbox, StepOutcome, StepSpec, Swept, WorkspaceId};

/// A sandbox that removes no workspace in which a step ran. They go with the first sweep after this process: the
/// next run's, or `holdpoint gc`.
pub struct Keeping {
    inner: Arc<dyn Sandbox>,
    /// Whose tree each workspace holds, and the steps that ran in it.
    used: Mutex<HashMap<WorkspaceId, (Side, Vec<String>)>>,
    kept: Mutex<Vec<String>>,
}

impl Keeping {
    /// Keeps what this sandbox makes.
    #[must_use]
    pub fn new(inner: Arc<dyn Sandbox>) -> Self {
        Self {
            inner,
            used: Mutex::default(),
            kept: Mutex::default(),
        }
    }

    /// What each kept workspace is, oldest first, and the shell command to look inside.
    #[must_use]
    pub fn kept(&self) -> Vec<String> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[async_trait]
impl Sandbox for Keeping {
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
        self.used
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .entry(workspace.clone())
            .or_insert_with(|| (step.side, Vec::new()))
            .1
            .push(step.name.clone());
        self.inner.run(workspace, step, on_line).await
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
        let ran = self
            .used
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&workspace);
        match (ran, self.inner.look(&workspace)) {
            (Some((side, mut steps)), Some(look)) => {
                steps.dedup();
                let kept = format!("the {} after {}: {look}", side_name(side), steps.join(", "));
                self.kept.lock().unwrap_or_else(PoisonError::into_inner).push(kept);
                Ok(())
            }
            _ => self.inner.remove(workspace).await,
        }
    }

    async fn sweep(&self) -> Result<Swept, SandboxError> {
        self.inner.sweep().await
    }

    async fn close(&self) -> Result<(), SandboxError> {
        self.inner.close().await
    }
}

const fn side_name(side: Side) -> &'static str {
    match side {
        Side::Baseline => "base",
        Side::Candidate => "candidate",
    }
}
