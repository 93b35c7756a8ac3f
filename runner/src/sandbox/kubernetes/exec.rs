//! Runs a small program in a workspace's holder, over the API server's `exec` (a WebSocket). Every
//! program here may run twice: what breaks is done again.

use kube::api::AttachParams;
use std::time::Instant;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::api::{ApiError, Backoff, Cluster, Judgement, judge};
use super::profile::CONTAINER;
use crate::text::one_line;

/// Bytes in the pipe between us and the WebSocket.
const PIPE_BYTES: usize = 64 << 10;
/// Bytes of complaint that are looked at.
const MAX_COMPLAINT: usize = 4 << 10;

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    /// Exit status.
    pub(super) code: i32,
    /// Standard output, up to the bound.
    pub(super) output: Vec<u8>,
    /// The first bytes of standard error, as one line.
    pub(super) complaint: String,
}

/// One program.
pub(super) struct Program<'a> {
    pub(super) what: &'static str,
    pub(super) pod: &'a str,
    pub(super) command: Vec<String>,
    pub(super) input: Option<&'a [u8]>,
    pub(super) max_output: usize,
}

impl Cluster {
    /// Runs it until it has ended once, with whatever status, within the bound of a transfer.
    pub(super) async fn exec(&self, program: Program<'_>) -> Result<Answer, ApiError> {
        let what = program.what;
        let until = Instant::now() + self.patience.transfer;
        let mut backoff = Backoff::new(self.patience.outage);
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let reason = match tokio::time::timeout(left, self.exec_once(&program)).await {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(Judgement::Refused { code, reason })) => {
                    return Err(ApiError::Refused { what, code, reason });
                }
                Ok(Err(Judgement::Passing { reason })) => reason,
                Err(_) => {
                    let reason = format!("not done within {} s", self.patience.transfer.as_secs());
                    return Err(ApiError::Gone { what, reason });
                }
            };
            tracing::debug!("could not {what}: {reason}");
            match backoff.failed() {
                Some(pause) => tokio::time::sleep(pause).await,
                None => return Err(ApiError::Gone { what, reason }),
            }
        }
    }

    async fn exec_once(&self, program: &Program<'_>) -> Result<Answer, Judgement> {
        let params = AttachParams::default()
            .container(CONTAINER)
            .stdin(program.input.is_some())
            .max_stdin_buf_size(PIPE_BYTES)
            .max_stdout_buf_size(PIPE_BYTES)
            .stderr(true);
        let api = self.api::<k8s_openapi::api::core::v1::Pod>();
        let connect = api.exec(program.pod, &program.command, &params);
        let mut process = match tokio::time::timeout(self.patience.request, connect).await {
            Ok(connected) => connected.map_err(|error| judge(&error))?,
            Err(_) => return Err(passing("no answer to `exec`")),
        };
        let (stdin, stdout, stderr) = (process.stdin(), process.stdout(), process.stderr());
        let status = process.take_status();
        let feed = async {
            if let (Some(mut stdin), Some(input)) = (stdin, program.input) {
                // A program that reads no more breaks the pipe; its status says the rest.
                let _ = stdin.write_all(input).await;
                let _ = stdin.flush().await;
                // Open until the end: closing it closes the whole connection on older clusters.
                return std::future::pending::<()>().await;
            }
            std::future::pending::<()>().await;
        };
        let read = async {
            tokio::join!(
                bounded_read(stdout, program.max_output),
                bounded_read(stderr, MAX_COMPLAINT)
            )
        };
        let ended = async {
            match status {
                Some(status) => status.await,
                None => None,
            }
        };
        tokio::pin!(feed, read, ended);
        // When the connection breaks the client's pipes stay open, both ways: only the status tells.
        let mut gathered = None;
        let status = loop {
            tokio::select! {
                status = &mut ended => break status,
                all = &mut read, if gathered.is_none() => gathered = Some(all),
                () = &mut feed => {}
            }
        };
        let status = status.ok_or_else(|| passing("the connection broke"))?;
        let (output, complaint) = match gathered {
            Some(all) => all,
            None => read.await,
        };
        let code = exit_code(&status)?;
        Ok(Answer {
            code,
            output,
            complaint: one_line(&String::from_utf8_lossy(&complaint)),
        })
    }
}

/// Reads to the end, and keeps the first bytes.
async fn bounded_read(stream: Option<impl tokio::io::AsyncRead + Unpin>, max: usize) -> Vec<u8> {
    let mut kept = Vec::new();
    let Some(mut stream) = stream else { return kept };
    let mut chunk = vec![0; PIPE_BYTES];
    while let Ok(count) = stream.read(&mut chunk).await {
        if count == 0 {
            break;
        }
        let bytes = chunk.get(..count).unwrap_or_default();
        let room = max.saturating_sub(kept.len()).min(bytes.len());
        kept.extend_from_slice(bytes.get(..room).unwrap_or_default());
    }
    kept
}

/// The exit status in what `exec` says at its end (`v4.channel.k8s.io`: a `Status` whose cause
/// `ExitCode` has it).
fn exit_code(status: &k8s_openapi::apimachinery::pkg::apis::meta::v1::Status) -> Result<i32, Judgement> {
    if status.status.as_deref() == Some("Success") {
        return Ok(0);
    }
    let causes = status.details.as_ref().and_then(|details| details.causes.as_ref());
    let code = causes.into_iter().flatten().find_map(|cause| {
        let is_code = cause.reason.as_deref() == Some("ExitCode");
        cause.message.as_ref().filter(|_| is_code)?.parse().ok()
    });
    code.ok_or_else(|| passing(&one_line(status.message.as_deref().unwrap_or("no exit status"))))
}

fn passing(reason: &str) -> Judgement {
    Judgement::Passing {
        reason: reason.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_exit_status_is_read_from_the_last_word_of_exec() {
        let read = |value| exit_code(&serde_json::from_value(value).unwrap());
        assert_eq!(read(json!({"status": "Success"})), Ok(0));
        let causes = json!([{"reason": "ExitCode", "message": "44"}]);
        let failed = json!({"status": "Failure", "reason": "NonZeroExitCode", "details": {"causes": causes}});
        assert_eq!(read(failed), Ok(44));
        let broken = json!({"status": "Failure", "reason": "InternalError", "message": "container not running"});
        assert_eq!(read(broken), Err(passing("container not running")));
    }
}
