//! One run of the tests, and what it says about single ones.

use globset::{GlobBuilder, GlobMatcher};
use holdpoint_schemas::evidence::{Check, StepEnd};

use super::origin::{Origin, is_lost};
use super::steps::SideRun;
use crate::error::RunnerError;
use crate::sandbox::{OnLine, StepOutcome, StepSpec, WorkspaceId};
use crate::test_report::{SingleTests, read_junit, read_output};
use crate::text::{Lines, Tail};

/// Output of one run that is read for single tests: a hundred thousand tests of a line each.
const MAX_OUTPUT_BYTES: usize = 16 << 20;
/// Report files of one run: a monorepo's test classes.
const MAX_REPORTS: usize = 2_000;
/// Bytes of one report file.
const MAX_REPORT_BYTES: usize = 16 << 20;
/// Names of report files, in bytes.
const MAX_NAMES_BYTES: usize = 1 << 20;
/// Lines told of one step.
const MAX_TOLD_LINES: usize = 5_000;

/// Where runners leave JUnit XML without being asked: a word of the command, and their files.
const DEFAULT_REPORTS: [(&str, &[&str]); 2] = [
    (
        "mvn",
        &[
            "**/target/surefire-reports/TEST-*.xml",
            "**/target/failsafe-reports/TEST-*.xml",
        ],
    ),
    ("gradle", &["**/build/test-results/**/*.xml"]),
];

/// One run of the tests.
#[derive(Debug)]
pub(super) struct TestRun {
    pub(super) end: StepEnd,
    pub(super) millis: u64,
    /// `None`: they can't be told apart.
    pub(super) tests: Option<SingleTests>,
}

impl TestRun {
    /// Whether it was green; `None`: it didn't end by itself.
    pub(super) const fn green(&self) -> Option<bool> {
        match self.end {
            StepEnd::Exited { code } => Some(code == 0),
            _ => None,
        }
    }
}

impl SideRun<'_> {
    /// The first run of the tests, and the contract check, as far as the plan asks for them. Gives back
    /// the workspace in which the last of them ran.
    pub(super) async fn exercise(
        &mut self,
        mut workspace: WorkspaceId,
        origin: &Origin<'_>,
        nonce: &str,
    ) -> Result<WorkspaceId, RunnerError> {
        let mut left = Self::retries();
        while self.tests_wanted() {
            let from = self.record.steps.len();
            let Some(run) = self.test(&workspace).await else { break };
            if left > 0 && is_lost(&run.end) {
                left -= 1;
                self.set_aside(from);
                match self.in_another(workspace, origin).await? {
                    Ok(fresh) => workspace = fresh,
                    Err(kept) => return Ok(kept),
                }
                continue;
            }
            if let Some(green) = run.green() {
                self.record.tests.add(green, run.tests);
            }
            break;
        }
        loop {
            let from = self.record.steps.len();
            self.contract(&workspace, nonce).await;
            if left == 0 || self.record.steps.len() == from || !self.last_is_lost() {
                return Ok(workspace);
            }
            left -= 1;
            self.set_aside(from);
            match self.in_another(workspace, origin).await? {
                Ok(fresh) => workspace = fresh,
                Err(kept) => return Ok(kept),
            }
        }
    }

    /// Another workspace in place of one in which the machine failed; `Err`: the old one, because there is none.
    async fn in_another(
        &mut self,
        workspace: WorkspaceId,
        origin: &Origin<'_>,
    ) -> Result<Result<WorkspaceId, WorkspaceId>, RunnerError> {
        Ok(match self.built_again(origin).await? {
            Some(fresh) => {
                self.remove(workspace).await;
                Ok(fresh)
            }
            None => Err(workspace),
        })
    }

    /// Whether the tests have to run: for themselves, or because what follows is about them.
    pub(super) fn tests_wanted(&self) -> bool {
        [Check::Test, Check::Adequacy, Check::Revert]
            .iter()
            .any(|check| self.plan.checks.contains(check))
    }

    /// Runs the tests once. `None`: none are configured.
    pub(super) async fn test(&mut self, workspace: &WorkspaceId) -> Option<TestRun> {
        let command = self.plan.command("test")?.to_owned();
        Some(self.test_with(workspace, "test", &command).await)
    }

    /// Runs the tests once, by another command and under another name.
    pub(super) async fn test_with(&mut self, workspace: &WorkspaceId, name: &str, command: &str) -> TestRun {
        let patterns = self.report_patterns(command);
        let spec = self.test_spec(name, command, &patterns);
        let outcome = self.step_then(workspace, &spec, log_captured).await;
        let mut tests = None;
        if matches!(outcome.end, StepEnd::Exited { .. }) {
            tests = self.reports(workspace, &patterns).await;
            if tests.is_none() && !outcome.capture_cut {
                tests = read_output(&outcome.captured);
            }
        }
        TestRun {
            end: outcome.end,
            millis: outcome.millis,
            tests,
        }
    }

    fn test_spec(&self, name: &str, command: &str, patterns: &[String]) -> StepSpec {
        // Runners print results on either stream. Reports that the tree brings along, or that an earlier
        // run left, are not this run's.
        let mut script = "exec 2>&1\n".to_owned();
        for pattern in patterns {
            let find = quoted(&find_pattern(pattern));
            script.push_str(&format!("find . -type f -path {find} -exec rm -f {{}} + || :\n"));
        }
        script.push_str(command);
        let mut spec = self.repo_step(name, &script);
        // Without it, tests that pass have no names.
        spec.env.insert("PYTEST_ADDOPTS".to_owned(), "-vv".to_owned());
        spec.capture_bytes = MAX_OUTPUT_BYTES;
        spec
    }

    fn report_patterns(&self, command: &str) -> Vec<String> {
        let configured = &self.plan.tests.reports;
        if !configured.is_empty() {
            return configured.clone();
        }
        DEFAULT_REPORTS
            .iter()
            .filter(|(word, _)| command.contains(word))
            .flat_map(|(_, patterns)| patterns.iter().map(|pattern| (*pattern).to_owned()))
            .collect()
    }

    /// The tests of all report files. `None`: there are none, or not all can be read.
    async fn reports(&self, workspace: &WorkspaceId, patterns: &[String]) -> Option<SingleTests> {
        if patterns.is_empty() {
            return None;
        }
        let matchers: Vec<_> = patterns.iter().filter_map(|pattern| matcher(pattern)).collect();
        let finds: Vec<_> = patterns
            .iter()
            .map(|pattern| format!("find . -type f -path {}", quoted(&find_pattern(pattern))))
            .collect();
        let mut spec = self.repo_step("test-reports", &finds.join("\n"));
        spec.capture_bytes = MAX_NAMES_BYTES;
        let found = self.sandbox.run(workspace, &spec, &|_| {}).await;
        if !found.end.is_success() || found.capture_cut {
            return None;
        }
        let names = String::from_utf8(found.captured).ok()?;
        let names: std::collections::BTreeSet<_> = names
            .lines()
            .filter_map(|line| line.strip_prefix("./"))
            .filter(|name| matchers.iter().any(|matcher| matcher.is_match(name)))
            .collect();
        if names.is_empty() || names.len() > MAX_REPORTS {
            return None;
        }
        let mut all = SingleTests::default();
        for name in names {
            let path = format!("repo/{name}");
            let bytes = self.sandbox.read_file(workspace, &path, MAX_REPORT_BYTES).await;
            all.merge(read_junit(&bytes.ok()??).ok()?);
        }
        (!all.is_empty() && !all.is_cut()).then_some(all)
    }
}

/// Output that was captured is told and kept as if it hadn't been.
pub(super) fn log_captured(outcome: &mut StepOutcome, on_line: OnLine<'_>) {
    let mut lines = Lines::default();
    let mut tail = Tail::default();
    let mut told = 0;
    let mut each = |line: String| {
        if told < MAX_TOLD_LINES {
            told += 1;
            on_line(&line);
        }
        tail.push(line);
    };
    lines.push(&outcome.captured, &mut each);
    lines.finish(&mut each);
    let rest = std::mem::take(&mut outcome.tail);
    for line in rest.lines() {
        tail.push(line.to_owned());
    }
    outcome.tail = tail.into_text();
}

fn matcher(pattern: &str) -> Option<GlobMatcher> {
    let glob = GlobBuilder::new(pattern).literal_separator(true).build().ok()?;
    Some(glob.compile_matcher())
}

/// The pattern for `find -path`, whose `*` matches slashes too: more than the glob, which is asked later.
fn find_pattern(pattern: &str) -> String {
    format!("./{}", pattern.replace("**/", "*"))
}

/// A word for the shell.
pub(super) fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_for_find_matches_at_least_what_the_glob_does() {
        assert_eq!(
            find_pattern("**/target/surefire-reports/TEST-*.xml"),
            "./*target/surefire-reports/TEST-*.xml"
        );
        assert!(matcher("**/a/*.xml").unwrap().is_match("a/x.xml"));
        assert!(!matcher("a/*.xml").unwrap().is_match("a/b/x.xml"));
        assert_eq!(quoted("it's"), r"'it'\''s'");
    }
}
