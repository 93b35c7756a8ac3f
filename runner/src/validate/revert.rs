//! Whether the fix can be taken back: from the state that the candidate's build and tests left behind, with
//! the fix undone, it is the base's tree, builds, and passes.

use holdpoint_schemas::evidence::{Check, CheckResult, Side, StepEnd, Verdict};
use std::borrow::Cow;

use super::Baseline;
use super::steps::SideRun;
use super::testing::quoted;
use crate::change::{SourceFile, SourceTree};
use crate::error::{RunnerError, SandboxError};
use crate::plan::ValidationPlan;
use crate::sandbox::{REPO_DIR, WorkspaceId};
use crate::test_report::TestRuns;
use crate::verdict::{describe_end, result};

/// Where the revert is unpacked: outside of the tree.
const FOLDER: &str = "/workspace/report/revert";

impl SideRun<'_> {
    /// Judges the revert in the workspace in which the candidate was built and tested.
    pub(super) async fn revert(&mut self, workspace: &WorkspaceId, baseline: &Baseline) -> Result<(), RunnerError> {
        if self.plan.checks.contains(&Check::Revert) {
            let judged = self.reverted(workspace, baseline).await?;
            self.record.checked.insert(Check::Revert, judged);
        }
        Ok(())
    }

    async fn reverted(&mut self, workspace: &WorkspaceId, baseline: &Baseline) -> Result<CheckResult, RunnerError> {
        if let Some(why) = irreversible(self.plan) {
            return Ok(why);
        }
        if baseline.record.tests.green == 0 {
            return Ok(result(
                Verdict::Inconclusive,
                "without passing tests on the base nothing shows that the fix can be taken back",
            ));
        }
        let archive = match revert_archive(self.plan)? {
            Ok(archive) => archive,
            Err(why) => return Ok(result(Verdict::Failed, why)),
        };
        let suffix = std::mem::replace(&mut self.suffix, " (reverted)".to_owned());
        // What `prepare` does for the base again says nothing about the candidate.
        let prepared = std::mem::take(&mut self.record.prepared);
        self.holds = Side::Baseline;
        let judged = self.judge_reverted(workspace, archive).await;
        self.holds = self.side;
        self.record.prepared = prepared;
        self.suffix = suffix;
        Ok(judged)
    }

    async fn judge_reverted(&mut self, workspace: &WorkspaceId, archive: Vec<u8>) -> CheckResult {
        let folder = quoted(FOLDER);
        // Written by the sandbox's own user, dated now: build tools take old dates for "unchanged".
        let script = format!(
            "rm -rf {folder} && mkdir {folder} && tar -x -m -f - -C {folder} && \
             xargs -0 -r rm -rf -- < {folder}/removed && rm {folder}/tree/.holdpoint-revert && cp -dR {folder}/tree/. {REPO_DIR}/"
        );
        let mut apply = self.repo_step("revert", &script);
        apply.stdin = Some(archive);
        let end = self.step(workspace, &apply).await.end;
        if !end.is_success() {
            return result(
                Verdict::Inconclusive,
                format!("the revert could not be applied: {}", describe_end(&end)),
            );
        }
        if !self.build(workspace, None).await {
            return match self.record.steps.last().map(|run| &run.end) {
                Some(end) if end.is_success() => result(
                    Verdict::Inconclusive,
                    "with the fix taken back `prepare` changes the base's lockfiles",
                ),
                Some(StepEnd::Exited { code }) => result(
                    Verdict::Failed,
                    format!("with the fix taken back it does not build: it exited with status {code}"),
                ),
                Some(end) => result(
                    Verdict::Inconclusive,
                    format!(
                        "the build with the fix taken back gives no answer: {}",
                        describe_end(end)
                    ),
                ),
                None => result(Verdict::Inconclusive, "the build with the fix taken back did not run"),
            };
        }
        let mut runs = TestRuns::default();
        // In place, because the state that the candidate left behind is what matters.
        for _ in 0..=self.plan.reruns {
            let Some(run) = self.test(workspace).await else { break };
            let Some(green) = run.green() else {
                return result(
                    Verdict::Inconclusive,
                    format!(
                        "the tests with the fix taken back give no answer: {}",
                        describe_end(&run.end)
                    ),
                );
            };
            runs.add(green, run.tests);
            if green {
                break;
            }
        }
        match (runs.green, runs.red) {
            (0, 0) => result(Verdict::Inconclusive, "no tests are configured"),
            (_, 0) => result(
                Verdict::Passed,
                "the fix taken back gives the base again, which builds and passes its tests",
            ),
            (0, red) => result(
                Verdict::Failed,
                format!("with the fix taken back the tests fail, in {red} of {red} runs"),
            ),
            _ => result(
                Verdict::Inconclusive,
                "with the fix taken back the tests pass only now and then",
            ),
        }
    }
}

/// What the caller knows can't be taken back.
pub(super) fn irreversible(plan: &ValidationPlan) -> Option<CheckResult> {
    let why = plan.scrutiny.irreversible.as_ref()?;
    Some(result(
        Verdict::Failed,
        format!("it can't be taken back: {}", crate::text::one_line(why)),
    ))
}

/// What undoes the fix: `removed` names what goes, zero-terminated, and `tree` holds what comes back. The
/// inner error: undone it wouldn't be the base.
fn revert_archive(plan: &ValidationPlan) -> Result<Result<Vec<u8>, String>, RunnerError> {
    let base = SourceTree::read(plan.tree(Side::Baseline)).map_err(SandboxError::from)?;
    let mut undone = SourceTree::read(plan.tree(Side::Candidate)).map_err(SandboxError::from)?;
    let mut archive = SourceTree::default();
    let mut removed = Vec::new();
    for path in base.differing(&undone) {
        // What is there goes first, so that a link or a folder isn't written through.
        removed.extend_from_slice(format!("./{path}\0").as_bytes());
        let before = base.get(&path).cloned();
        if before.is_some() {
            archive.set(&format!("tree/{path}"), before.clone());
        }
        undone.set(&path, before);
    }
    if let Some(path) = base.differing(&undone).first() {
        return Ok(Err(format!("with the fix taken back `{path}` is not what it was")));
    }
    // Names that are no UTF-8 aren't compared above.
    let odd = |tar| {
        let names: Vec<_> = crate::sandbox::tree::files(tar)?
            .into_iter()
            .filter(|(path, _)| path.to_str().is_none())
            .collect();
        Ok::<_, crate::sandbox::tree::TreeError>(names)
    };
    let same = odd(plan.tree(Side::Baseline)).map_err(SandboxError::from)?
        == odd(plan.tree(Side::Candidate)).map_err(SandboxError::from)?;
    if !same {
        return Ok(Err("the fix changes files whose names are no UTF-8".to_owned()));
    }
    let file = |content: Vec<u8>| SourceFile::Regular {
        content: Cow::Owned(content),
        executable: false,
    };
    archive.set("removed", Some(file(removed)));
    // So that `tree` is there even when nothing comes back.
    archive.set("tree/.holdpoint-revert", Some(file(Vec::new())));
    Ok(Ok(archive.write().map_err(SandboxError::from)?))
}

#[cfg(test)]
mod tests;
