//! Whether the green is worth something: tests that pass run what the fix changes, and notice when it is undone.
//!
//! What has to be noticed: with the fix's source undone and its tests kept, some test turns red (that is
//! what a fix with a test of its own shows); or else, because the base's tests pass on the base and so can't
//! notice that, in each changed file some small wrong change of a changed line turns a test red.

use holdpoint_schemas::evidence::{Check, CheckResult, Side, StepEnd, Verdict};
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use super::origin::Origin;
use super::steps::SideRun;
use super::testing::{log_captured, quoted};
use crate::change::SourceTree;
use crate::change::language::language;
use crate::change::lines::{ChangedLines, changed_lines, shown};
use crate::change::mutants::mutants;
use crate::change::restore::revert_source;
use crate::change::test_files::is_test_file;
use crate::coverage::{self, Adapter, Coverage, adapter, read_v8};
use crate::error::{RunnerError, SandboxError};
use crate::sandbox::WorkspaceId;
use crate::sandbox::snapshot::SnapshotKey;
use crate::verdict::{describe_end, judge_covered, result};

/// Bytes of one coverage report.
const MAX_REPORT_BYTES: usize = 128 << 20;
/// Reports of one run, where each process writes one.
const MAX_REPORTS: usize = 500;
/// Mutants of one file, and of all: each is a build and a run of the tests.
const MAX_MUTANTS: (usize, usize) = (5, 12);
/// Exit status of a mutant that isn't valid; no test runner uses it.
const INVALID: i64 = 125;

type Lines = BTreeMap<String, Vec<RangeInclusive<u32>>>;

fn unsure(reason: impl Into<String>) -> CheckResult {
    result(Verdict::Inconclusive, reason)
}

impl SideRun<'_> {
    /// Judges adequacy on the candidate, whose tests have run.
    pub(super) async fn adequacy(
        &mut self,
        origin: &Origin<'_>,
        snapshot: Option<&SnapshotKey>,
    ) -> Result<(), RunnerError> {
        if self.plan.checks.contains(&Check::Adequacy) {
            let judged = self.adequate(origin, snapshot).await?;
            self.record.checked.insert(Check::Adequacy, judged);
        }
        Ok(())
    }

    async fn adequate(
        &mut self,
        origin: &Origin<'_>,
        snapshot: Option<&SnapshotKey>,
    ) -> Result<CheckResult, RunnerError> {
        let Some(command) = self.plan.command("test") else {
            return Ok(unsure("no tests are configured"));
        };
        let runs = &self.record.tests;
        if runs.green == 0 || runs.red > 0 {
            return Ok(unsure("only tests that pass each time can show what they cover"));
        }
        let plan = self.plan;
        let base = SourceTree::read(plan.tree(Side::Baseline)).map_err(SandboxError::from)?;
        let candidate = SourceTree::read(plan.tree(Side::Candidate)).map_err(SandboxError::from)?;
        let changed = changed_lines(&base, &candidate);
        let lines = match self.lines_that_matter(&changed) {
            Ok(lines) => lines,
            Err(why) => return Ok(unsure(why)),
        };
        let covered = self.covered(origin, command, &candidate, &lines).await?;
        if covered.verdict != Verdict::Passed || !plan.scrutiny.sensitivity {
            return Ok(covered);
        }
        let noticed = self.noticed(snapshot, command, &base, &candidate, &changed).await?;
        Ok(match noticed.verdict {
            Verdict::Passed => result(Verdict::Passed, format!("{}; {}", covered.reason, noticed.reason)),
            _ => noticed,
        })
    }

    fn lines_that_matter(&self, changed: &ChangedLines) -> Result<Lines, String> {
        if let Some(path) = changed.untold.first() {
            return Err(format!(
                "`{path}` is gone or too large to tell what is covered of the change"
            ));
        }
        let mut lines = changed.files.clone();
        for (path, line) in &self.plan.scrutiny.used_lines {
            lines.entry(path.clone()).or_default().push(*line..=*line);
        }
        if lines.is_empty() {
            return Err(
                "the fix changes no line of source that a test could run, and where the repo uses what it \
                        upgrades is not known"
                    .to_owned(),
            );
        }
        Ok(lines)
    }

    async fn covered(
        &mut self,
        origin: &Origin<'_>,
        test: &str,
        candidate: &SourceTree<'_>,
        lines: &Lines,
    ) -> Result<CheckResult, RunnerError> {
        let configured = (&self.plan.tests.coverage, &self.plan.tests.coverage_report);
        if let (Some(command), Some(report)) = configured {
            let report = format!("repo/{report}");
            return self
                .covered_by(
                    origin,
                    command,
                    "the command of `tests.coverage`",
                    &[&report],
                    candidate,
                    lines,
                )
                .await;
        }
        // One run per tool: a repo may be of several languages.
        let mut tools: Vec<(&Adapter, Lines)> = Vec::new();
        for (path, ranges) in lines {
            let Some(tool) = adapter(path) else {
                return Ok(unsure(format!(
                    "no coverage tool is known for `{path}`; configure `tests.coverage`"
                )));
            };
            match tools.iter_mut().find(|(known, _)| *known == tool) {
                Some((_, files)) => {
                    files.insert(path.clone(), ranges.clone());
                }
                None => tools.push((tool, BTreeMap::from([(path.clone(), ranges.clone())]))),
            }
        }
        let mut reasons = Vec::new();
        for (tool, lines) in tools {
            let command = tool.command(test);
            let judged = self
                .covered_by(origin, &command, tool.name, &[tool.report], candidate, &lines)
                .await?;
            if judged.verdict != Verdict::Passed {
                return Ok(judged);
            }
            reasons.push(judged.reason);
        }
        Ok(result(Verdict::Passed, reasons.join("; ")))
    }

    async fn covered_by(
        &mut self,
        origin: &Origin<'_>,
        command: &str,
        tool: &str,
        reports: &[&str],
        candidate: &SourceTree<'_>,
        lines: &Lines,
    ) -> Result<CheckResult, RunnerError> {
        let suffix = std::mem::replace(&mut self.suffix, " (for coverage)".to_owned());
        let workspace = self.built(origin).await;
        self.suffix = suffix;
        let Some(workspace) = workspace? else {
            return Ok(unsure("the build did not succeed again for the coverage run"));
        };
        let mut spec = self.repo_step("coverage", command);
        spec.capture_bytes = 1 << 20;
        let outcome = self.step_then(&workspace, &spec, log_captured).await;
        let judged = match &outcome.end {
            StepEnd::Exited { code: 0 } => match self.coverage(&workspace, reports, candidate).await {
                Ok(coverage) => judge_covered(lines, &coverage, tool),
                Err(why) => unsure(format!("what the tests cover can't be told ({tool}): {why}")),
            },
            StepEnd::MissingTool => unsure(format!(
                "what the tests cover can't be told: the tool ({tool}) is not in the sandbox"
            )),
            end => unsure(format!(
                "the tests do not pass when their coverage is measured: {}",
                describe_end(end)
            )),
        };
        self.remove(workspace).await;
        Ok(judged)
    }

    async fn coverage(
        &self,
        workspace: &WorkspaceId,
        reports: &[&str],
        candidate: &SourceTree<'_>,
    ) -> Result<Coverage, String> {
        let report = reports.first().copied().unwrap_or_default();
        if report.ends_with('/') {
            return self.v8_coverage(workspace, report, candidate).await;
        }
        let paths = candidate.paths().map(str::to_owned).collect();
        let bytes = self
            .sandbox
            .read_file(workspace, report, MAX_REPORT_BYTES)
            .await
            .map_err(|error| error.to_string())?
            .ok_or_else(|| format!("there is no report `{report}`"))?;
        coverage::read(&bytes, &paths).map_err(|error| error.to_string())
    }

    async fn v8_coverage(
        &self,
        workspace: &WorkspaceId,
        folder: &str,
        candidate: &SourceTree<'_>,
    ) -> Result<Coverage, String> {
        let mut list = self.repo_step("coverage-reports", &format!("ls ../{}", quoted(folder)));
        list.capture_bytes = 1 << 20;
        let listed = self.sandbox.run(workspace, &list, &|_| {}).await;
        let names = String::from_utf8(listed.captured).map_err(|error| error.to_string())?;
        let sources = candidate
            .paths()
            .filter_map(|path| Some((path.to_owned(), candidate.text(path)?)))
            .collect();
        let mut coverage = Coverage::default();
        let plain = |name: &&str| name.ends_with(".json") && !name.contains('/');
        for name in names.lines().filter(plain).take(MAX_REPORTS) {
            let path = format!("{folder}{name}");
            let bytes = self.sandbox.read_file(workspace, &path, MAX_REPORT_BYTES).await;
            let bytes = bytes.map_err(|error| error.to_string())?.unwrap_or_default();
            read_v8(&bytes, &sources, &mut coverage).map_err(|error| error.to_string())?;
        }
        Ok(coverage)
    }

    /// Whether some test notices when the fix is undone or changed.
    async fn noticed(
        &mut self,
        snapshot: Option<&SnapshotKey>,
        test: &str,
        base: &SourceTree<'_>,
        candidate: &SourceTree<'_>,
        changed: &ChangedLines,
    ) -> Result<CheckResult, RunnerError> {
        if changed.files.is_empty() {
            return Ok(unsure(
                "the fix changes no source that could be changed to see whether a test notices",
            ));
        }
        let sources: Vec<_> = base
            .differing(candidate)
            .into_iter()
            .filter(|path| !is_test_file(path) && language(path).is_some())
            .collect();
        if base.differing(candidate).iter().any(|path| is_test_file(path)) {
            let mut undone = candidate.clone();
            revert_source(base, &mut undone, &sources);
            if self.turns_red(snapshot, test, &undone, " (undone)").await? == Some(true) {
                return Ok(result(Verdict::Passed, "a test fails when the fix is undone"));
            }
        }
        let mut left = MAX_MUTANTS.1;
        let mut unnoticed = Vec::new();
        let mut tried = 0_u32;
        for (path, ranges) in &changed.files {
            let mut seen = false;
            let mut lines = Vec::new();
            for mutant in mutants(candidate, path, ranges, MAX_MUTANTS.0.min(left)) {
                left -= 1;
                let mut wrong = candidate.clone();
                wrong.set_text(path, mutant.text);
                let command = checked_first(path, test);
                let suffix = format!(" (line {} changed)", mutant.line);
                match self.turns_red(snapshot, &command, &wrong, &suffix).await? {
                    Some(true) => {
                        seen = true;
                        break;
                    }
                    Some(false) => {
                        tried += 1;
                        lines.push(mutant.line);
                    }
                    None => {}
                }
            }
            if !seen {
                lines.sort_unstable();
                lines.dedup();
                if lines.is_empty() {
                    lines.extend(ranges.iter().map(|range| *range.start()));
                }
                unnoticed.extend(shown(path, &lines));
            }
        }
        if unnoticed.is_empty() {
            return Ok(result(
                Verdict::Passed,
                "a test fails when a changed line is made wrong",
            ));
        }
        let mut judged = match tried {
            0 => unsure(format!(
                "no changed line could be made wrong in a way that still builds: {}",
                unnoticed.join(", ")
            )),
            _ => unsure(format!("no test notices when {} is made wrong", unnoticed.join(", "))),
        };
        judged.details = unnoticed;
        Ok(judged)
    }

    /// Whether a test that passes on the candidate fails on this tree. `None`: it doesn't build, or the
    /// machine gave no answer.
    async fn turns_red(
        &mut self,
        snapshot: Option<&SnapshotKey>,
        test: &str,
        tree: &SourceTree<'_>,
        suffix: &str,
    ) -> Result<Option<bool>, RunnerError> {
        let tar = tree.write().map_err(SandboxError::from)?;
        let origin = Origin::candidate(self.plan, snapshot, &tar)?;
        let suffix = std::mem::replace(&mut self.suffix, suffix.to_owned());
        let workspace = self.built(&origin).await;
        let mut red = None;
        if let Ok(Some(workspace)) = &workspace {
            let run = self.test_with(workspace, "test", test).await;
            red = match (&run.end, run.tests) {
                (StepEnd::Exited { code: 0 }, _) => Some(false),
                (StepEnd::Exited { code: INVALID }, _) => None,
                // Where tests are told apart, one has to fail that passes on the candidate: a file that
                // can't be loaded is no test.
                (StepEnd::Exited { .. }, tests) if self.record.tests.names_tests() => tests.map(|tests| {
                    tests.iter().any(|(name, end)| {
                        let before = self.record.tests.tests.get(name);
                        end == crate::test_report::TestEnd::Failed && before.is_some_and(|tally| tally.passed > 0)
                    })
                }),
                (StepEnd::Exited { .. }, _) => Some(true),
                _ => None,
            };
        }
        self.suffix = suffix;
        if let Some(workspace) = workspace? {
            self.remove(workspace).await;
        }
        Ok(red)
    }
}

/// The test command behind a check of the changed file's syntax.
fn checked_first(path: &str, test: &str) -> String {
    match language(path).and_then(|language| language.check) {
        Some(check) => format!("{} || exit {INVALID}\n{test}", check.replace("{}", &quoted(path))),
        None => test.to_owned(),
    }
}

#[cfg(test)]
mod tests;
