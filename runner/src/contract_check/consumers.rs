//! Consumers' own tests, run beside the service: who breaks is named.

use holdpoint_schemas::estate::ServeConfig;
use holdpoint_schemas::evidence::StepEnd;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;

use super::{ContractPlan, Findings, bare_spec};
use crate::agent::{ConsumerTestSpec, ReplayEvent, ReplayLine, ReplaySpec};
use crate::sandbox::{CONSUMER_ARCHIVE, CONSUMER_DIR};
use crate::text::one_line;
use crate::verdict::describe_end;

/// Runs of tests until one is green: one red run alone blames nobody.
const ATTEMPTS: u32 = 2;
/// Lines of a red run's output that are told.
const SHOWN_LINES: usize = 10;

/// One consumer's own tests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsumerTests {
    /// The consumer's name.
    pub consumer: String,
    /// Its tree, as an uncompressed tar archive on the host; absolute.
    pub archive: PathBuf,
    /// Shell command that runs the tests in it. They have no network but the service on loopback.
    pub command: String,
    /// Variable that tells them the service's address: `http://127.0.0.1:PORT`.
    pub variable: String,
}

/// How a consumer's tests went on one side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "tests")]
pub enum TestsRun {
    /// They ended.
    Ran {
        /// How each run of them ended, in order: `None` is green, else what it was, for people.
        runs: Vec<Option<String>>,
        /// Last lines of what they and the service have said.
        tail: Vec<String>,
    },
    /// The service ended before it was ready.
    Exited {
        /// How, for people.
        reason: String,
    },
    /// It can't be told.
    Unknown {
        /// Why.
        reason: String,
    },
}

impl ConsumerTests {
    pub(crate) fn spec(&self, serve: &ServeConfig, nonce: &str, seconds: u64) -> ReplaySpec {
        ReplaySpec {
            tests: Some(ConsumerTestSpec {
                archive: CONSUMER_ARCHIVE.to_owned(),
                folder: CONSUMER_DIR.to_owned(),
                command: self.command.clone(),
                variable: self.variable.clone(),
                seconds,
                attempts: ATTEMPTS,
            }),
            ..bare_spec(serve, nonce)
        }
    }
}

/// Reads the agent's result lines. Lines without the nonce are the service's or the tests', and ignored.
pub(crate) fn read_tests(output: &[u8], nonce: &str, end: &StepEnd, tail: &str) -> TestsRun {
    let mut runs = Vec::new();
    let mut done = false;
    for line in output.split(|byte| *byte == b'\n') {
        let Ok(ReplayLine { nonce: said, event }) = serde_json::from_slice(line) else {
            continue;
        };
        if said != nonce {
            continue;
        }
        match event {
            ReplayEvent::Tested { code: Some(0), .. } => runs.push(None),
            ReplayEvent::Tested { code, timed_out } => runs.push(Some(match (code, timed_out) {
                (Some(code), _) => format!("exit status {code}"),
                (None, true) => "they took too long".to_owned(),
                (None, false) => "ended by a signal".to_owned(),
            })),
            ReplayEvent::Exited { code } => {
                let how = code.map_or("was killed".to_owned(), |code| format!("exited with status {code}"));
                return TestsRun::Exited {
                    reason: format!("it {how} before it was ready"),
                };
            }
            ReplayEvent::NotReady { reason } => {
                return TestsRun::Unknown {
                    reason: format!("the service was not ready in time: {}", one_line(&reason)),
                };
            }
            ReplayEvent::Done => done = true,
            ReplayEvent::Answered { .. } | ReplayEvent::Unanswered { .. } => {}
        }
    }
    if !done || runs.is_empty() || !end.is_success() {
        return TestsRun::Unknown {
            reason: format!("they were not finished: {}", describe_end(end)),
        };
    }
    let lines: Vec<&str> = tail.lines().collect();
    let from = lines.len().saturating_sub(SHOWN_LINES);
    TestsRun::Ran {
        runs,
        tail: lines.iter().skip(from).map(|line| one_line(line)).collect(),
    }
}

impl Findings {
    pub(super) fn consumer_tests(
        &mut self,
        plan: &ContractPlan,
        before: Option<&BTreeMap<String, TestsRun>>,
        after: Option<&BTreeMap<String, TestsRun>>,
    ) {
        if plan.serve.is_none() {
            return;
        }
        for tests in &plan.tests {
            let name = one_line(&tests.consumer);
            let of =
                |side: Option<&'_ BTreeMap<String, TestsRun>>| side.and_then(|runs| runs.get(&tests.consumer)).cloned();
            match (of(before), of(after)) {
                (Some(TestsRun::Ran { runs, .. }), _) if runs.last() != Some(&None) => self.unclear.push(format!(
                    "the tests of `{name}` are red against the baseline already ({})",
                    runs.iter().flatten().next().cloned().unwrap_or_default()
                )),
                (Some(TestsRun::Ran { runs: before, .. }), Some(TestsRun::Ran { runs: after, tail })) => {
                    let flaky = before.len() + after.len() > 2;
                    match after.last().cloned().flatten() {
                        None if after.len() == 1 => self.held.push(format!("the tests of `{name}` are green")),
                        Some(how) if before.len() == 1 && after.len() > 1 => {
                            self.broken
                                .push(format!("`{name}`: its own tests fail against the candidate ({how})"));
                            self.notes
                                .extend(tail.into_iter().map(|line| format!("`{name}`: {line}")));
                        }
                        _ if flaky => self.unclear.push(format!("the tests of `{name}` are flaky")),
                        _ => self
                            .unclear
                            .push(format!("the tests of `{name}` were run too rarely to tell")),
                    }
                }
                (Some(TestsRun::Ran { .. }), Some(TestsRun::Exited { reason })) => self.broken.push(format!(
                    "the service no longer starts with the fix ({reason}), which breaks `{name}`"
                )),
                (Some(TestsRun::Exited { reason }), _) => self.unclear.push(format!(
                    "the baseline is already red: the service does not start ({reason})"
                )),
                (Some(TestsRun::Unknown { reason }), _) => {
                    self.unclear
                        .push(format!("the tests of `{name}` on the baseline: {reason}"));
                }
                (_, Some(TestsRun::Unknown { reason })) => {
                    self.unclear
                        .push(format!("the tests of `{name}` on the candidate: {reason}"));
                }
                (None, _) | (_, None) => self.unclear.push(format!("the tests of `{name}` did not run")),
            }
        }
    }
}
