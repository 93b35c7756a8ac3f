//! The replay agent: runs *inside* the sandbox, starts the service, replays recorded requests one
//! after the other and prints what came back. Only `std` and JSON, because it is the application's
//! own binary, bound read-only into whatever image the step runs in. It is the [`relay`] of `prepare`, too.
//!
//! Each result line carries a nonce that only the agent was told (on its standard input), so that
//! the service's own output can't pass for a result. The service runs as the same user: that it can't look
//! the nonce up in the agent's memory is what the process is made undumpable for (prctl(2)).

mod hex;
mod http;
pub mod relay;
mod service;
mod session;

use holdpoint_contract::wire::Take;
#[cfg(target_os = "linux")]
use rustix::process::DumpableBehavior;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::Write;
use std::time::{Duration, Instant};
use thiserror::Error;

use service::Service;
use session::Sessions;

/// Requests in one replay.
pub const MAX_REQUESTS: usize = 2_000;
/// Runs of one replay.
pub const MAX_RUNS: u32 = 10;
/// From the start of one run to that of the next: a clock that counts seconds has gone on by then.
const RUN_APART: Duration = Duration::from_millis(1_100);

/// Headers: lower-case name → values, in the order in which they came.
pub type Headers = BTreeMap<String, Vec<String>>;

/// A recorded request.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentRequest {
    /// Method, for example `GET`.
    pub method: String,
    /// Path, percent-encoded, beginning with `/`.
    pub path: String,
    /// Query string without the `?`, percent-encoded.
    pub query: Option<String>,
    /// Headers; `host`, `connection`, `content-length` and `transfer-encoding` are the agent's own.
    pub headers: Headers,
    /// Body.
    #[serde(with = "hex")]
    pub body: Vec<u8>,
    /// Requests of one session share cookies and what they take; `None`: none.
    #[serde(default)]
    pub session: Option<String>,
    /// What later requests of the session need of the answer: in them it stands as `{{NAME}}`.
    #[serde(default)]
    pub takes: Vec<Take>,
}

/// What came back.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentResponse {
    /// Status code.
    pub status: u16,
    /// Headers.
    pub headers: Headers,
    /// Body, with any chunking undone.
    #[serde(with = "hex")]
    pub body: Vec<u8>,
}

/// What the agent is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplaySpec {
    /// Goes into each result line.
    pub nonce: String,
    /// Shell command that starts the service and keeps running.
    pub command: String,
    /// Port on loopback.
    pub port: u16,
    /// Path that answers when it is ready.
    pub ready: String,
    /// Seconds to wait for that.
    pub ready_seconds: u64,
    /// Seconds for one request.
    pub request_seconds: u64,
    /// Requests, in order.
    pub requests: Vec<AgentRequest>,
    /// How often the service is started anew and asked all of them, at most [`MAX_RUNS`].
    #[serde(default = "once")]
    pub runs: u32,
    /// A consumer's own tests, run instead of the requests.
    #[serde(default)]
    pub tests: Option<ConsumerTestSpec>,
}

const fn once() -> u32 {
    1
}

/// A consumer's own tests, run beside the service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsumerTestSpec {
    /// The consumer's tree, as an uncompressed tar archive in the sandbox.
    pub archive: String,
    /// Empty folder that it is unpacked to.
    pub folder: String,
    /// Shell command that runs the tests there.
    pub command: String,
    /// Variable that tells them the service's address.
    pub variable: String,
    /// Seconds for one run of them.
    pub seconds: u64,
    /// Runs until one is green, at most.
    pub attempts: u32,
}

/// One result line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ReplayLine {
    /// The spec's.
    pub(crate) nonce: String,
    /// What happened.
    #[serde(flatten)]
    pub(crate) event: ReplayEvent,
}

/// What a result line says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "event")]
pub(crate) enum ReplayEvent {
    /// The service ended before it was ready.
    Exited {
        /// Exit status; `None` after a signal.
        code: Option<i32>,
    },
    /// The service wasn't ready in time.
    NotReady {
        /// What the last look said.
        reason: String,
    },
    /// The consumer's tests ended.
    Tested {
        /// Exit status; `None` after a signal, or when they took too long.
        code: Option<i32>,
        /// Whether they took too long.
        timed_out: bool,
    },
    /// A request was answered.
    Answered {
        /// Its place among the requests of all runs.
        index: usize,
        /// The answer.
        response: AgentResponse,
    },
    /// A request got no valid answer.
    Unanswered {
        /// Its place among the requests of all runs.
        index: usize,
        /// Why.
        reason: String,
        /// Whether it merely took too long.
        timed_out: bool,
    },
    /// All requests were replayed.
    Done,
}

/// The agent could not do its work.
#[derive(Debug, Error)]
pub enum AgentError {
    /// The spec is none.
    #[error("the replay spec can't be read: {0}")]
    Spec(#[from] serde_json::Error),
    /// More requests than [`MAX_REQUESTS`].
    #[error("the replay spec has {0} requests, more than {MAX_REQUESTS}")]
    TooMany(usize),
    /// More runs than [`MAX_RUNS`].
    #[error("the replay spec has {0} runs, more than {MAX_RUNS}")]
    TooOften(u32),
    /// The consumer's tree can't be unpacked.
    #[error("the consumer's tree can't be unpacked: {0}")]
    Unpack(String),
    /// The service can't be started, or results can't be written.
    #[error("the replay failed: {0}")]
    Io(#[from] std::io::Error),
}

/// Starts the service, waits until it is ready, replays each request and writes one JSON line per
/// result to `out`. The service writes to standard error.
///
/// # Errors
/// When the spec is malformed, the shell can't be started or `out` can't be written. A service that
/// doesn't start or answer is a result, not an error.
pub fn replay(spec_json: &str, out: &mut dyn Write) -> Result<(), AgentError> {
    let spec: ReplaySpec = serde_json::from_str(spec_json)?;
    if spec.requests.len() > MAX_REQUESTS {
        return Err(AgentError::TooMany(spec.requests.len()));
    }
    #[cfg(target_os = "linux")]
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable).map_err(std::io::Error::from)?;
    if spec.runs > MAX_RUNS {
        return Err(AgentError::TooOften(spec.runs));
    }
    let mut say = |event| -> Result<(), AgentError> {
        let line = ReplayLine {
            nonce: spec.nonce.clone(),
            event,
        };
        serde_json::to_writer(&mut *out, &line)?;
        out.write_all(b"\n")?;
        Ok(out.flush()?)
    };
    if let Some(tests) = &spec.tests {
        return consumer_tests(&spec, tests, &mut say);
    }
    for run in 0..spec.runs {
        let begun = Instant::now();
        if !ask_all(&spec, run, &mut say)? {
            return Ok(());
        }
        if run + 1 < spec.runs {
            std::thread::sleep(RUN_APART.saturating_sub(begun.elapsed()));
        }
    }
    say(ReplayEvent::Done)
}

type Say<'a> = dyn FnMut(ReplayEvent) -> Result<(), AgentError> + 'a;

/// Starts the service and makes each request. Whether it was ready.
fn ask_all(spec: &ReplaySpec, run: u32, say: &mut Say<'_>) -> Result<bool, AgentError> {
    let mut service = Service::start(&spec.command, spec.port)?;
    if let Some(event) = service.wait_until_ready(spec)? {
        say(event)?;
        return Ok(false);
    }
    let limit = Duration::from_secs(spec.request_seconds);
    let before = usize::try_from(run).unwrap_or_default() * spec.requests.len();
    let mut sessions = Sessions::default();
    for (at, request) in spec.requests.iter().enumerate() {
        let index = before + at;
        say(match http::call(spec.port, &sessions.ready(request), limit) {
            Ok(response) => {
                sessions.learn(request, &response);
                ReplayEvent::Answered { index, response }
            }
            Err(error) => ReplayEvent::Unanswered {
                index,
                timed_out: error.is_time_out(),
                reason: error.to_string(),
            },
        })?;
    }
    Ok(true)
}

/// Runs a consumer's tests beside the service until they are green, at most so many times; each time the service
/// and the consumer's tree are new.
fn consumer_tests(spec: &ReplaySpec, tests: &ConsumerTestSpec, say: &mut Say<'_>) -> Result<(), AgentError> {
    for _ in 0..tests.attempts {
        let mut service = Service::start(&spec.command, spec.port)?;
        if let Some(event) = service.wait_until_ready(spec)? {
            return say(event);
        }
        service::unpack(tests)?;
        let (code, timed_out) = service::run_tests(tests, spec.port)?;
        say(ReplayEvent::Tested { code, timed_out })?;
        if code == Some(0) {
            break;
        }
    }
    say(ReplayEvent::Done)
}

#[cfg(test)]
mod tests;
