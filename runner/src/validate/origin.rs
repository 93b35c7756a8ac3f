//! Where a side's workspaces come from, as often as one is needed, and what is done when the machine
//! fails on the way.

use holdpoint_schemas::evidence::{Side, StepEnd};
use std::time::Duration;

use super::steps::SideRun;
use crate::error::{RunnerError, SandboxError};
use crate::plan::{SET_ASIDE, ValidationPlan};
use crate::sandbox::WorkspaceId;
use crate::sandbox::snapshot::{SnapshotKey, TreeChange};
use crate::sandbox::tree;

/// Further attempts when the machine or the engine fails: a restart of the daemon is over by then, and
/// what fails three times won't get better by waiting here.
const RETRIES: u32 = 2;
/// Before each further attempt when the engine is away: a daemon that is started again needs some seconds.
const PAUSES: [Duration; RETRIES as usize] = [Duration::from_secs(10), Duration::from_secs(3)];

/// Where a workspace starts.
#[derive(Debug, Clone)]
pub(super) enum Origin<'a> {
    /// From a tree, to be prepared and built.
    Tree(&'a [u8]),
    /// From a snapshot with a change, to be built.
    Changed(&'a SnapshotKey, TreeChange),
    /// From a snapshot as it is, which is built.
    Built(&'a SnapshotKey),
}

impl<'a> Origin<'a> {
    /// For a tree that differs from the base: from its snapshot, where there is one.
    pub(super) fn candidate(
        plan: &ValidationPlan,
        snapshot: Option<&'a SnapshotKey>,
        tree: &'a [u8],
    ) -> Result<Self, RunnerError> {
        Ok(match snapshot {
            Some(key) => {
                let change = tree::change(plan.tree(Side::Baseline), tree).map_err(SandboxError::from)?;
                Self::Changed(key, change)
            }
            None => Self::Tree(tree),
        })
    }
}

/// Whether a step's end may be another one when it is tried again.
pub(super) const fn is_lost(end: &StepEnd) -> bool {
    matches!(end, StepEnd::EngineLost { .. } | StepEnd::Infrastructure { .. })
}

/// Whether a request that failed may succeed when it is tried again.
const fn may_recover(error: &SandboxError) -> bool {
    matches!(
        error,
        SandboxError::Engine { .. }
            | SandboxError::EngineLost { .. }
            | SandboxError::EngineTimeOut { .. }
            | SandboxError::NoEngine { .. }
    )
}

impl SideRun<'_> {
    /// A fresh workspace in which everything up to the build is green. `None`: it isn't, and the record
    /// says why.
    pub(super) async fn built(&mut self, origin: &Origin<'_>) -> Result<Option<WorkspaceId>, RunnerError> {
        let mut left = RETRIES;
        loop {
            let workspace = match self.start(origin).await {
                Ok(workspace) => workspace,
                Err(error) if left > 0 && may_recover(&error) => {
                    tracing::warn!("a workspace could not be made, trying again: {error}");
                    left -= 1;
                    if matches!(error, SandboxError::EngineLost { .. } | SandboxError::NoEngine { .. }) {
                        tokio::time::sleep(PAUSES.get(left as usize).copied().unwrap_or_default()).await;
                    }
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            let from = self.record.steps.len();
            let change = match origin {
                Origin::Changed(_, change) => Some(change),
                Origin::Tree(_) | Origin::Built(_) => None,
            };
            if matches!(origin, Origin::Built(_)) || self.build(&workspace, change).await {
                return Ok(Some(workspace));
            }
            self.remove(workspace).await;
            if left == 0 || !self.last_is_lost() {
                return Ok(None);
            }
            left -= 1;
            self.set_aside(from);
        }
    }

    async fn start(&self, origin: &Origin<'_>) -> Result<WorkspaceId, SandboxError> {
        match origin {
            Origin::Tree(tree) => self.sandbox.workspace(tree).await,
            Origin::Changed(key, change) => self.sandbox.branch(key, change).await,
            Origin::Built(key) => self.sandbox.branch(key, &TreeChange::default()).await,
        }
    }

    /// Whether the last step ended with the machine and not by itself.
    pub(super) fn last_is_lost(&self) -> bool {
        self.record.steps.last().is_some_and(|run| is_lost(&run.end))
    }

    /// Renames the steps of an attempt that came to nothing, so that the next one's count.
    pub(super) fn set_aside(&mut self, from: usize) {
        for run in self.record.steps.iter_mut().skip(from) {
            run.step.push_str(SET_ASIDE);
        }
    }

    /// Removes a workspace; what can't be removed now is left to the next sweep.
    pub(super) async fn remove(&self, workspace: WorkspaceId) {
        super::remove(self.sandbox, workspace).await;
    }

    /// Bounded tries of something that the machine may fail at, each in a fresh workspace but the first.
    pub(super) fn retries() -> u32 {
        RETRIES
    }
}
