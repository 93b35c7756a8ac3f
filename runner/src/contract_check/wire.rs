//! The wire oracle: the same requests to the baseline, several times over, and to the candidate.

use holdpoint_contract::Level;
use holdpoint_contract::wire::{self, Config, Difference, Reply, Response, Transcript, WireDiff, WireRequest};
use holdpoint_schemas::estate::ServeConfig;
use holdpoint_schemas::evidence::Side;

use super::{Answer, ContractPlan, Findings, Replay, bare_spec};
use crate::agent::{AgentRequest, ReplaySpec};
use crate::text::one_line;

/// Runs from which it is learnt what differs by itself.
const BASELINE_RUNS: u32 = 5;
/// Runs that must all show a difference.
const CANDIDATE_RUNS: u32 = 3;

/// What becomes of a fix that changes what no consumer pins.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Unpinned {
    /// It breaks the contract.
    Fail,
    /// Somebody has to look: the check is inconclusive.
    #[default]
    Hold,
    /// It is told, and nothing else.
    Note,
}

/// Requests that the baseline and the candidate must answer alike.
#[derive(Debug, Clone, Default)]
pub struct WirePlan {
    /// Requests, in order.
    pub requests: Vec<WireRequest>,
    /// What consumers pin, and levels of rules.
    pub config: Config,
    /// What becomes of warnings.
    pub unpinned: Unpinned,
    /// What could not be made into requests.
    pub gaps: Vec<String>,
}

impl WirePlan {
    pub(crate) fn spec(&self, serve: &ServeConfig, nonce: &str, side: Side) -> ReplaySpec {
        ReplaySpec {
            requests: self.requests.iter().map(request).collect(),
            runs: match side {
                Side::Baseline => BASELINE_RUNS,
                Side::Candidate => CANDIDATE_RUNS,
            },
            ..bare_spec(serve, nonce)
        }
    }

    fn compare(&self, before: &[Answer], after: &[Answer]) -> WireDiff {
        let operations: Vec<String> = self
            .requests
            .iter()
            .map(|request| wire::operation(&request.method, &request.path))
            .collect();
        wire::compare(&operations, &self.runs(before), &self.runs(after), &self.config)
    }

    fn runs(&self, answers: &[Answer]) -> Vec<Transcript> {
        let runs = answers.chunks(self.requests.len().max(1));
        runs.map(|run| run.iter().map(reply).collect()).collect()
    }
}

fn request(request: &WireRequest) -> AgentRequest {
    AgentRequest {
        method: request.method.clone(),
        path: request.path.clone(),
        query: request.query.clone(),
        headers: request.headers.clone(),
        body: request.body.clone(),
        session: request.session.clone(),
        takes: request.takes.clone(),
    }
}

fn reply(answer: &Answer) -> Reply {
    match answer {
        Answer::Response(response) => Reply::Response(Response {
            status: response.status,
            headers: response.headers.clone(),
            body: response.body.clone(),
        }),
        Answer::Broken { reason } => Reply::Broken(reason.clone()),
        Answer::TimedOut => Reply::TimedOut,
    }
}

impl Findings {
    pub(super) fn wire(&mut self, plan: &ContractPlan, before: Option<&Replay>, after: Option<&Replay>) {
        let Some(wire) = plan.wire.as_ref().filter(|_| plan.serve.is_some()) else {
            return;
        };
        self.unclear.extend(wire.gaps.iter().map(|gap| one_line(gap)));
        if wire.requests.is_empty() {
            self.unclear
                .push("there is no request to compare answers to".to_owned());
            return;
        }
        match (before, after) {
            (Some(Replay::Answered { answers: before }), Some(Replay::Answered { answers: after })) => {
                let diff = wire.compare(before, after);
                self.differences(&diff, wire.unpinned);
                let gaps = diff
                    .gaps
                    .iter()
                    .map(|gap| format!("{}: {}", one_line(&gap.place), one_line(&gap.text)));
                self.unclear.extend(gaps);
                self.held
                    .push(format!("{} requests are answered as before", wire.requests.len()));
            }
            (Some(Replay::Answered { .. }), Some(Replay::Exited { reason })) => {
                self.broken
                    .push(format!("the service no longer starts with the fix ({reason})"));
            }
            (Some(Replay::Exited { reason }), _) => self.unclear.push(format!(
                "the baseline is already red: the service does not start ({reason})"
            )),
            (Some(Replay::Unknown { reason }), _) => {
                self.unclear
                    .push(format!("on the baseline, answers were not compared: {reason}"));
            }
            (_, Some(Replay::Unknown { reason })) => {
                self.unclear
                    .push(format!("on the candidate, answers were not compared: {reason}"));
            }
            (None, _) | (_, None) => self.unclear.push("answers were not compared".to_owned()),
        }
    }

    fn differences(&mut self, diff: &WireDiff, unpinned: Unpinned) {
        for difference in &diff.differences {
            let line = told(difference);
            match (difference.level, unpinned) {
                (Level::Error, _) | (Level::Warning, Unpinned::Fail) => self.broken.push(line),
                (Level::Warning, Unpinned::Hold) => self.unclear.push(format!("the fix changes an answer: {line}")),
                (Level::Warning, Unpinned::Note) | (Level::Info, _) => self.notes.push(line),
            }
        }
    }
}

fn told(difference: &Difference) -> String {
    let line = format!("{}: {}: {}", difference.operation, difference.place, difference.text);
    let pinned: Vec<String> = difference.pinned_by.iter().map(|name| format!("`{name}`")).collect();
    one_line(&match pinned.is_empty() {
        true => line,
        false => format!("{}: {line}", pinned.join(", ")),
    })
}
