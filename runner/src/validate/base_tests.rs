//! The base's tests on the candidate's source, where the fix changes tests or how they are run.

use holdpoint_schemas::evidence::Side;

use super::origin::Origin;
use super::steps::SideRun;
use crate::change::SourceTree;
use crate::change::restore::restore;
use crate::error::{RunnerError, SandboxError};
use crate::plan::Restored;
use crate::sandbox::snapshot::SnapshotKey;
use crate::test_report::TestRuns;

impl SideRun<'_> {
    /// After the candidate's own tests have passed at least once: without that there is nothing to doubt.
    pub(super) async fn base_tests(&mut self, snapshot: Option<&SnapshotKey>) -> Result<(), RunnerError> {
        if self.record.tests.green == 0 {
            return Ok(());
        }
        let plan = self.plan;
        let base = SourceTree::read(plan.tree(Side::Baseline)).map_err(SandboxError::from)?;
        let mut tree = SourceTree::read(plan.tree(Side::Candidate)).map_err(SandboxError::from)?;
        let commands: Vec<&str> = ["build", "test"].iter().filter_map(|step| plan.command(step)).collect();
        let restoration = restore(&base, &mut tree, &commands);
        if restoration.files.is_empty() && restoration.mixed.is_empty() {
            return Ok(());
        }
        let mut restored = Restored {
            files: restoration.files,
            mixed: restoration.mixed,
            ..Restored::default()
        };
        if restored.mixed.is_empty() {
            let tar = tree.write().map_err(SandboxError::from)?;
            let origin = Origin::candidate(plan, snapshot, &tar)?;
            let suffix = std::mem::replace(&mut self.suffix, " (base's tests)".to_owned());
            let ran = self.run_restored(&origin, &mut restored).await;
            self.suffix = suffix;
            ran?;
        }
        self.record.restored = Some(restored);
        Ok(())
    }

    async fn run_restored(&mut self, origin: &Origin<'_>, restored: &mut Restored) -> Result<(), RunnerError> {
        let Some(workspace) = self.built(origin).await? else {
            return Ok(());
        };
        if let Some(run) = self.test(&workspace).await {
            if let Some(green) = run.green() {
                restored.runs.add(green, run.tests);
            }
            restored.end = Some(run.end);
        }
        self.remove(workspace).await;
        if restored.runs.red > 0 {
            self.rerun(origin, &mut restored.runs, TestRuns::may_be_broken).await?;
        }
        Ok(())
    }
}
