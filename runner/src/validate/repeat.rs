//! Further runs of the tests: of red ones to tell a broken test from a flaky one, of green ones because
//! a test that fails now and then may pass at first.

use holdpoint_schemas::evidence::Side;

use super::Baseline;
use super::origin::Origin;
use super::steps::SideRun;
use crate::error::RunnerError;
use crate::sandbox::WorkspaceId;
use crate::test_report::TestRuns;

/// Runs of red tests on each side when they are quick: then blaming a fix for a flaky test has a
/// probability of at most 4^-10, one in a million.
const QUICK_RERUNS: u32 = 9;
/// Seconds that the quick ones may take on each side.
const QUICK_SECONDS: u64 = 20;
/// Clean runs that are made at most, whatever a plan asks for.
const MAX_CLEAN_RUNS: u32 = 200;

impl SideRun<'_> {
    /// After the base's first run: red tests are run again, green ones as often as the plan asks for.
    pub(super) async fn settle_baseline(
        &mut self,
        workspace: WorkspaceId,
        origin: &Origin<'_>,
    ) -> Result<WorkspaceId, RunnerError> {
        let mut runs = std::mem::take(&mut self.record.tests);
        let mut workspace = workspace;
        if runs.red > 0 {
            self.rerun(origin, &mut runs, TestRuns::may_be_broken).await?;
        } else if runs.green > 0 {
            workspace = self.repeat(workspace, origin, &mut runs).await?;
        }
        self.record.flaky_tests = runs.flaky();
        self.record.tests = runs;
        Ok(workspace)
    }

    /// After the candidate's first run. What is settled already isn't run again.
    pub(super) async fn settle_candidate(
        &mut self,
        workspace: WorkspaceId,
        origin: &Origin<'_>,
        baseline: &Baseline,
    ) -> Result<WorkspaceId, RunnerError> {
        let before = &baseline.record.tests;
        let mut runs = std::mem::take(&mut self.record.tests);
        let mut workspace = workspace;
        let known = runs
            .tests
            .keys()
            .any(|name| self.plan.scrutiny.known_flaky.contains(name));
        if runs.red > 0 && before.green > 0 {
            self.rerun(origin, &mut runs, TestRuns::may_be_broken).await?;
            if runs.may_be_broken() && before.red == 0 {
                self.rerun_base(baseline, runs.runs()).await?;
            }
        } else if runs.green > 0 && before.red == 0 && !known {
            workspace = self.repeat(workspace, origin, &mut runs).await?;
        }
        self.record.flaky_tests = runs.flaky();
        self.record.tests = runs;
        Ok(workspace)
    }

    /// As many runs of the base's tests as the candidate's had: only a test that passes in all of them
    /// can have been broken by the fix.
    async fn rerun_base(&mut self, baseline: &Baseline, wanted: u32) -> Result<(), RunnerError> {
        let base_tree = self.plan.tree(Side::Baseline);
        let origin = match &baseline.snapshot {
            Some(key) => Origin::Built(key),
            None => Origin::Tree(base_tree),
        };
        let side = std::mem::replace(&mut self.side, Side::Baseline);
        let mut runs = baseline.record.tests.clone();
        let had = runs.clone();
        let outcome = self
            .rerun(&origin, &mut runs, |runs| runs.red == 0 && runs.runs() < wanted)
            .await;
        self.side = side;
        outcome?;
        self.record.base_reruns = only_new(&had, &runs);
        Ok(())
    }

    /// Runs the tests in fresh workspaces while `unsettled` says so, within the plan's bound.
    pub(super) async fn rerun(
        &mut self,
        origin: &Origin<'_>,
        runs: &mut TestRuns,
        unsettled: impl Fn(&TestRuns) -> bool + Send,
    ) -> Result<(), RunnerError> {
        let (mut made, mut spent) = (0, 0_u64);
        while unsettled(runs) && self.another(made, spent) {
            made += 1;
            match self.fresh_run(origin, runs, made + 1).await? {
                Some(millis) => spent = spent.saturating_add(millis),
                None => break,
            }
        }
        Ok(())
    }

    const fn another(&self, made: u32, spent_millis: u64) -> bool {
        let wanted = self.plan.reruns;
        made < wanted || (wanted > 0 && made < QUICK_RERUNS && spent_millis < QUICK_SECONDS * 1000)
    }

    /// One run in a fresh workspace. `None`: it gave no answer, and the next one won't either.
    async fn fresh_run(
        &mut self,
        origin: &Origin<'_>,
        runs: &mut TestRuns,
        number: u32,
    ) -> Result<Option<u64>, RunnerError> {
        let suffix = std::mem::replace(&mut self.suffix, format!(" (run {number})"));
        let from = self.record.steps.len();
        let mut answer = None;
        if let Some(workspace) = self.built(origin).await? {
            if let Some(run) = self.test(&workspace).await
                && let Some(green) = run.green()
            {
                runs.add(green, run.tests);
                answer = Some(());
            }
            self.remove(workspace).await;
        }
        self.suffix = suffix;
        let spent = self.record.steps.iter().skip(from).map(|run| run.millis).sum();
        Ok(answer.map(|()| spent))
    }

    /// Runs green tests again until there are as many clean runs as the plan asks for, one is red, or the
    /// time is used up. In the same workspace, because that costs least; a red run there may be due to what
    /// an earlier one left behind, so from then on each has a fresh one, and only those count.
    async fn repeat(
        &mut self,
        mut workspace: WorkspaceId,
        origin: &Origin<'_>,
        runs: &mut TestRuns,
    ) -> Result<WorkspaceId, RunnerError> {
        let wanted = self.plan.scrutiny.clean_runs.min(MAX_CLEAN_RUNS);
        let budget = self.plan.scrutiny.clean_seconds.saturating_mul(1000);
        let first = runs.clone();
        let (mut number, mut spent, mut in_place) = (1, 0_u64, true);
        while runs.green < wanted && runs.red == 0 && spent < budget {
            number += 1;
            if !in_place {
                match self.fresh_run(origin, runs, number).await? {
                    Some(millis) => spent = spent.saturating_add(millis),
                    None => break,
                }
                continue;
            }
            let suffix = std::mem::replace(&mut self.suffix, format!(" (run {number})"));
            let run = self.test(&workspace).await;
            self.suffix = suffix;
            let Some(run) = run else { break };
            spent = spent.saturating_add(run.millis);
            if run.green() == Some(true) {
                runs.add(true, run.tests);
            } else {
                in_place = false;
                *runs = first.clone();
                if let Some(fresh) = self.built_again(origin).await? {
                    self.remove(std::mem::replace(&mut workspace, fresh)).await;
                }
            }
        }
        Ok(workspace)
    }

    /// A fresh workspace for what follows the tests.
    pub(super) async fn built_again(&mut self, origin: &Origin<'_>) -> Result<Option<WorkspaceId>, RunnerError> {
        let suffix = std::mem::replace(&mut self.suffix, " (again)".to_owned());
        let fresh = self.built(origin).await;
        self.suffix = suffix;
        fresh
    }
}

/// The runs that came on top.
fn only_new(had: &TestRuns, all: &TestRuns) -> TestRuns {
    let mut new = all.clone();
    new.green -= had.green;
    new.red -= had.red;
    for (name, tally) in &mut new.tests {
        let before = had.tests.get(name).copied().unwrap_or_default();
        tally.passed -= before.passed;
        tally.failed -= before.failed;
        tally.skipped -= before.skipped;
    }
    new
}

#[cfg(test)]
mod tests;
