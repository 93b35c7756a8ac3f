//! What the consumers of a service rely on: recorded interactions, replayed against the service as
//! it is before and after the fix.

use holdpoint_schemas::estate::ServeConfig;
use holdpoint_schemas::evidence::{CheckResult, StepEnd, Verdict};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use crate::agent::{AgentRequest, AgentResponse, ReplayEvent, ReplayLine, ReplaySpec};
use crate::text::one_line;
use crate::verdict::{describe_end, result};

mod consumers;
mod wire;

pub(crate) use consumers::read_tests;
pub use consumers::{ConsumerTests, TestsRun};
pub use wire::{Unpinned, WirePlan};

/// Seconds for one replayed request.
const REQUEST_SECONDS: u64 = 20;
/// Without it nothing can be asked.
const NO_SERVE: &str = "it is not configured how to start the service (`contract.serve`)";
/// Mismatches kept as details.
const MAX_DETAILS: usize = 40;

/// What the contract check needs to know.
#[derive(Debug, Clone, Default)]
pub struct ContractPlan {
    /// How the service is started; without it nothing can be replayed.
    pub serve: Option<ServeConfig>,
    /// Consumers with a recorded contract.
    pub consumers: Vec<ConsumerContract>,
    /// Consumers without one.
    pub unrecorded: Vec<String>,
    /// The API description compared between base and candidate, where there is one.
    pub openapi: Option<OpenApiResult>,
    /// What upgrades of dependencies mean for the repo's own code, where that could be looked at.
    pub upgrades: Vec<UpgradeResult>,
    /// Requests that the baseline and the candidate must answer alike.
    pub wire: Option<WirePlan>,
    /// Consumers' own tests.
    pub tests: Vec<ConsumerTests>,
    /// The application's binary, whose hidden subcommand `replay-agent` is the agent.
    pub agent: PathBuf,
}

/// What one side's service was seen to do.
#[derive(Debug, Clone, Copy, Default)]
pub struct Seen<'a> {
    /// Answers to the recorded interactions.
    pub replay: Option<&'a Replay>,
    /// Answers to the wire oracle's requests, all runs one after the other.
    pub wire: Option<&'a Replay>,
    /// Runs of consumers' own tests, by consumer.
    pub tests: Option<&'a BTreeMap<String, TestsRun>>,
}

/// The recorded contract of one consumer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsumerContract {
    /// The consumer's name.
    pub consumer: String,
    /// What it asks for, in order.
    pub interactions: Vec<RecordedInteraction>,
}

/// One recorded request. What the answer must be is the [`ContractJudge`]'s knowledge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedInteraction {
    /// For people.
    pub description: String,
    /// The request.
    pub request: AgentRequest,
}

/// What the upgrade of one dependency means for the code that uses it. Breaking if there is anything that breaks, else
/// unknown if there is anything that couldn't be seen, else safe.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UpgradeResult {
    /// Name of the package.
    pub package: String,
    /// Version before.
    pub from: String,
    /// Version after.
    pub to: String,
    /// Uses that break: symbol, file, line, what changed.
    pub breaking: Vec<String>,
    /// What couldn't be seen.
    pub unknown: Vec<String>,
    /// Why it is safe.
    pub safe: Vec<String>,
}

/// An API description, compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OpenApiResult {
    /// It could be compared.
    Compared {
        /// Breaking changes, one line each.
        breaking: Vec<String>,
    },
    /// It couldn't.
    Unreadable {
        /// Why.
        reason: String,
    },
}

/// Where an answer isn't what a consumer relies on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mismatch {
    /// Place in the answer: `status`, `headers.content-type`, `$.body.id`.
    pub path: String,
    /// What was expected and what came.
    pub text: String,
}

/// Knows what a recorded consumer relies on.
pub trait ContractJudge: Send + Sync {
    /// Compares an answer with the recorded one. Both indices are those of
    /// [`ContractPlan::consumers`] and [`ConsumerContract::interactions`].
    fn judge(&self, consumer: usize, interaction: usize, answer: &AgentResponse) -> Vec<Mismatch>;
}

impl<F> ContractJudge for F
where
    F: Fn(usize, usize, &AgentResponse) -> Vec<Mismatch> + Send + Sync,
{
    fn judge(&self, consumer: usize, interaction: usize, answer: &AgentResponse) -> Vec<Mismatch> {
        self(consumer, interaction, answer)
    }
}

/// What one side's service answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "replay")]
pub enum Replay {
    /// It ran, and each request was tried; in the order of consumers and their interactions.
    Answered {
        /// One per request.
        answers: Vec<Answer>,
    },
    /// It ended before it was ready.
    Exited {
        /// How, for people.
        reason: String,
    },
    /// It can't be told what it would have answered.
    Unknown {
        /// Why.
        reason: String,
    },
}

/// What became of one request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "answer")]
pub enum Answer {
    /// It was answered.
    Response(AgentResponse),
    /// The connection broke, or what came is not HTTP.
    Broken {
        /// How.
        reason: String,
    },
    /// Nothing came in time.
    TimedOut,
}

impl ContractPlan {
    /// Whether there is anything to replay.
    #[must_use]
    pub fn can_replay(&self) -> bool {
        self.serve.is_some() && self.requests().next().is_some()
    }

    /// Whether anything needs the running service.
    #[must_use]
    pub fn needs_service(&self) -> bool {
        self.can_replay() || self.serve.is_some() && (self.wire.is_some() || !self.tests.is_empty())
    }

    fn requests(&self) -> impl Iterator<Item = (usize, usize, &ConsumerContract, &RecordedInteraction)> {
        self.consumers.iter().enumerate().flat_map(|(c, consumer)| {
            consumer
                .interactions
                .iter()
                .enumerate()
                .map(move |(i, interaction)| (c, i, consumer, interaction))
        })
    }

    pub(crate) fn spec(&self, serve: &ServeConfig, nonce: &str) -> ReplaySpec {
        let requests = self.requests().map(|(.., interaction)| interaction.request.clone());
        ReplaySpec {
            requests: requests.collect(),
            ..bare_spec(serve, nonce)
        }
    }
}

/// A spec that starts the service and asks nothing.
fn bare_spec(serve: &ServeConfig, nonce: &str) -> ReplaySpec {
    ReplaySpec {
        nonce: nonce.to_owned(),
        command: serve.command.clone(),
        port: serve.port,
        ready: serve.ready.clone(),
        ready_seconds: serve.ready_seconds,
        request_seconds: REQUEST_SECONDS,
        requests: Vec::new(),
        runs: 1,
        tests: None,
    }
}

/// Reads the agent's result lines. Lines without the nonce are the service's, and ignored.
pub(crate) fn read_replay(output: &[u8], nonce: &str, expected: usize, end: &StepEnd) -> Replay {
    let mut answers: Vec<Option<Answer>> = vec![None; expected];
    let mut done = false;
    for line in output.split(|byte| *byte == b'\n') {
        let Ok(ReplayLine { nonce: said, event }) = serde_json::from_slice(line) else {
            continue;
        };
        if said != nonce {
            continue;
        }
        let (index, answer) = match event {
            ReplayEvent::Exited { code: Some(code) } => {
                return Replay::Exited {
                    reason: format!("it exited with status {code} before it was ready"),
                };
            }
            ReplayEvent::Exited { code: None } => {
                return Replay::Exited {
                    reason: "it was killed before it was ready".to_owned(),
                };
            }
            ReplayEvent::NotReady { reason } => {
                return Replay::Unknown {
                    reason: format!("the service was not ready in time: {}", one_line(&reason)),
                };
            }
            ReplayEvent::Answered { index, response } => (index, Answer::Response(response)),
            ReplayEvent::Unanswered {
                index, timed_out: true, ..
            } => (index, Answer::TimedOut),
            ReplayEvent::Unanswered { index, reason, .. } => (
                index,
                Answer::Broken {
                    reason: one_line(&reason),
                },
            ),
            ReplayEvent::Done => {
                done = true;
                continue;
            }
            ReplayEvent::Tested { .. } => continue,
        };
        if let Some(slot) = answers.get_mut(index) {
            *slot = Some(answer);
        }
    }
    match answers.into_iter().collect::<Option<Vec<_>>>() {
        Some(answers) if done && end.is_success() => Replay::Answered { answers },
        _ => Replay::Unknown {
            reason: format!("the replay was not finished: {}", describe_end(end)),
        },
    }
}

/// What both sides' service was seen to do, and the API description, say about the fix. Pure.
#[must_use]
pub fn compare(plan: &ContractPlan, baseline: Seen<'_>, candidate: Seen<'_>, judge: &dyn ContractJudge) -> CheckResult {
    let mut findings = Findings::default();
    match &plan.openapi {
        Some(OpenApiResult::Compared { breaking }) => {
            for change in breaking {
                findings
                    .broken
                    .push(format!("the API description breaks: {}", one_line(change)));
            }
        }
        Some(OpenApiResult::Unreadable { reason }) => {
            findings
                .unclear
                .push(format!("the API description can't be compared: {}", one_line(reason)));
        }
        None => {}
    }
    for upgrade in &plan.upgrades {
        let about = format!(
            "{} {} → {}",
            one_line(&upgrade.package),
            one_line(&upgrade.from),
            one_line(&upgrade.to)
        );
        let line = |text: &String| format!("{about}: {}", one_line(text));
        findings.broken.extend(upgrade.breaking.iter().map(line));
        findings.unclear.extend(upgrade.unknown.iter().map(line));
        findings.notes.extend(upgrade.safe.iter().map(line));
    }
    if plan.serve.is_none() && (plan.wire.is_some() || !plan.tests.is_empty()) {
        findings.unclear.push(NO_SERVE.to_owned());
    }
    findings.consumer_tests(plan, baseline.tests, candidate.tests);
    findings.wire(plan, baseline.wire, candidate.wire);
    for consumer in &plan.unrecorded {
        findings.unclear.push(format!(
            "no contract is recorded for the consumer `{}`",
            one_line(consumer)
        ));
    }
    if !plan.consumers.is_empty() {
        findings.replays(plan, baseline.replay, candidate.replay, judge);
    }
    findings.into_result(plan)
}

#[derive(Default)]
struct Findings {
    broken: Vec<String>,
    unclear: Vec<String>,
    /// Worth telling, without being held against the fix.
    notes: Vec<String>,
    /// What holds, for people.
    held: Vec<String>,
}

impl Findings {
    fn replays(
        &mut self,
        plan: &ContractPlan,
        baseline: Option<&Replay>,
        candidate: Option<&Replay>,
        judge: &dyn ContractJudge,
    ) {
        for consumer in plan
            .consumers
            .iter()
            .filter(|consumer| consumer.interactions.is_empty())
        {
            self.unclear.push(format!(
                "the contract of `{}` has no interaction",
                one_line(&consumer.consumer)
            ));
        }
        if plan.requests().next().is_none() {
            return;
        }
        if plan.serve.is_none() {
            self.unclear.push(NO_SERVE.to_owned());
            return;
        }
        match (baseline, candidate) {
            (Some(Replay::Answered { answers: before }), Some(Replay::Answered { answers: after })) => {
                self.answers(plan, before, after, judge);
            }
            (Some(Replay::Answered { .. }), Some(Replay::Exited { reason })) => {
                let consumers: Vec<_> = plan
                    .consumers
                    .iter()
                    .map(|c| format!("`{}`", one_line(&c.consumer)))
                    .collect();
                self.broken.push(format!(
                    "the service no longer starts with the fix ({reason}), which breaks {}",
                    consumers.join(", ")
                ));
            }
            (Some(Replay::Exited { reason }), _) => {
                self.unclear.push(format!(
                    "the baseline is already red: the service does not start ({reason})"
                ));
            }
            (Some(Replay::Unknown { reason }), _) => self.unclear.push(format!("on the baseline, {reason}")),
            (_, Some(Replay::Unknown { reason })) => self.unclear.push(format!("on the candidate, {reason}")),
            (None, _) => self
                .unclear
                .push("the contracts were not replayed on the baseline".to_owned()),
            (_, None) => self
                .unclear
                .push("the contracts were not replayed on the candidate".to_owned()),
        }
    }

    fn answers(&mut self, plan: &ContractPlan, before: &[Answer], after: &[Answer], judge: &dyn ContractJudge) {
        for (at, (c, i, consumer, interaction)) in plan.requests().enumerate() {
            let what = format!(
                "`{}`: {}",
                one_line(&consumer.consumer),
                one_line(&interaction.description)
            );
            let judged = |answer: Option<&Answer>| match answer {
                Some(Answer::Response(response)) => Ok(judge.judge(c, i, response)),
                Some(Answer::Broken { reason }) => Ok(vec![Mismatch {
                    path: "answer".to_owned(),
                    text: format!("no valid answer ({reason})"),
                }]),
                Some(Answer::TimedOut) => Err("no answer in time"),
                None => Err("it was not replayed"),
            };
            match (judged(before.get(at)), judged(after.get(at))) {
                (Ok(before), Ok(after)) => self.mismatches(&what, &before, after),
                (Err(why), _) => self.unclear.push(format!("{what}: on the baseline, {why}")),
                (_, Err(why)) => self.unclear.push(format!("{what}: on the candidate, {why}")),
            }
        }
    }

    /// Places are compared, not texts: a text may hold a value that differs from run to run.
    fn mismatches(&mut self, what: &str, before: &[Mismatch], after: Vec<Mismatch>) {
        let known: BTreeSet<_> = before.iter().map(|mismatch| mismatch.path.as_str()).collect();
        for mismatch in after {
            let text = format!("{what}: {}: {}", one_line(&mismatch.path), one_line(&mismatch.text));
            if known.contains(mismatch.path.as_str()) {
                self.unclear.push(format!("the baseline already breaks it: {text}"));
            } else {
                self.broken.push(text);
            }
        }
    }

    fn into_result(self, plan: &ContractPlan) -> CheckResult {
        let more = |list: &[String]| match list.len() {
            0 | 1 => String::new(),
            n => format!(" (and {} more)", n - 1),
        };
        let mut checked = match (self.broken.first(), self.unclear.first()) {
            (Some(first), _) => result(
                Verdict::Failed,
                format!("the fix breaks a contract: {first}{}", more(&self.broken)),
            ),
            (None, Some(first)) => result(Verdict::Inconclusive, format!("{first}{}", more(&self.unclear))),
            (None, None) => {
                let names: Vec<_> = plan
                    .consumers
                    .iter()
                    .map(|c| format!("`{}`", one_line(&c.consumer)))
                    .collect();
                let recorded =
                    (!names.is_empty()).then(|| format!("the recorded contracts of {} hold", names.join(", ")));
                let held: Vec<_> = recorded.into_iter().chain(self.held).collect();
                let reason = if held.is_empty() {
                    "nothing depends on it".to_owned()
                } else {
                    held.join("; ")
                };
                result(Verdict::Passed, reason)
            }
        };
        let lines = self.broken.into_iter().chain(self.unclear).chain(self.notes);
        checked.details = lines.take(MAX_DETAILS).collect();
        checked
    }
}

#[cfg(test)]
mod tests;
