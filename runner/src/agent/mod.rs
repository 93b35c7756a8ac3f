//! The replay agent: runs *inside* the sandbox, starts the service, replays recorded requests one
//! after the other and prints what came back. Only `std` and JSON, because it is the application's
//! own binary, bound read-only into whatever image the step runs in.
//!
//! Each result line carries a nonce that only the agent was told (on its standard input), so that
//! the service's own output can't pass for a result. The service runs as the same user: that it can't look
//! the nonce up in the agent's memory is what the process is made undumpable for (prctl(2)).

mod hex;
mod http;

#[cfg(target_os = "linux")]
use rustix::process::DumpableBehavior;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::Write;
use std::os::fd::AsFd as _;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use thiserror::Error;

/// Requests in one replay.
pub const MAX_REQUESTS: usize = 2_000;
/// Between two looks whether the service is ready.
const POLL: Duration = Duration::from_millis(50);
/// For one look at the ready path.
const READY_REQUEST: Duration = Duration::from_secs(2);

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
    /// A request was answered.
    Answered {
        /// Its place in the spec.
        index: usize,
        /// The answer.
        response: AgentResponse,
    },
    /// A request got no valid answer.
    Unanswered {
        /// Its place in the spec.
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
    let mut service = Service::start(&spec.command)?;
    let mut say = |event| -> Result<(), AgentError> {
        let line = ReplayLine {
            nonce: spec.nonce.clone(),
            event,
        };
        serde_json::to_writer(&mut *out, &line)?;
        out.write_all(b"\n")?;
        Ok(out.flush()?)
    };
    if let Some(event) = service.wait_until_ready(&spec)? {
        return say(event);
    }
    let limit = Duration::from_secs(spec.request_seconds);
    for (index, request) in spec.requests.iter().enumerate() {
        say(match http::call(spec.port, request, limit) {
            Ok(response) => ReplayEvent::Answered { index, response },
            Err(error) => ReplayEvent::Unanswered {
                index,
                timed_out: error.is_time_out(),
                reason: error.to_string(),
            },
        })?;
    }
    say(ReplayEvent::Done)
}

/// The running service; killed when dropped. What it started itself ends with the container.
struct Service(Child);

impl Service {
    fn start(command: &str) -> std::io::Result<Self> {
        // The agent's standard output is for results alone.
        let log = || -> std::io::Result<Stdio> { Ok(std::io::stderr().as_fd().try_clone_to_owned()?.into()) };
        let child = Command::new("/bin/sh")
            .args(["-c", command])
            .stdin(Stdio::null())
            .stdout(log()?)
            .stderr(log()?)
            .spawn()?;
        Ok(Self(child))
    }

    /// `None`: it is ready. Else what happened instead.
    fn wait_until_ready(&mut self, spec: &ReplaySpec) -> std::io::Result<Option<ReplayEvent>> {
        let deadline = Instant::now() + Duration::from_secs(spec.ready_seconds);
        let look = AgentRequest {
            method: "GET".to_owned(),
            path: spec.ready.clone(),
            ..AgentRequest::default()
        };
        loop {
            if let Some(status) = self.0.try_wait()? {
                return Ok(Some(ReplayEvent::Exited { code: status.code() }));
            }
            let error = match http::call(spec.port, &look, READY_REQUEST) {
                Ok(_) => return Ok(None),
                Err(error) => error,
            };
            if Instant::now() >= deadline {
                return Ok(Some(ReplayEvent::NotReady {
                    reason: error.to_string(),
                }));
            }
            std::thread::sleep(POLL);
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // It may have ended by itself; there is nobody left to tell.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[cfg(test)]
mod tests;
