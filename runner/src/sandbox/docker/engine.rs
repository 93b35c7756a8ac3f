//! Requests to the engine, each within a bound of its own, and what removes things for good.

use bollard::Docker;
use bollard::errors::Error;
use bollard::query_parameters::{RemoveContainerOptionsBuilder, RemoveVolumeOptionsBuilder};
use std::future::Future;
use std::time::Duration;

use super::one_line;
use crate::error::SandboxError;

/// Most requests to the engine take milliseconds; a busy machine needs seconds.
pub(super) const REQUEST: Duration = Duration::from_secs(60);
/// A tree of gigabytes onto a slow disk.
pub(super) const TRANSFER: Duration = Duration::from_secs(300);
/// How often a removal is tried while the engine is away, a second apart: a restart takes seconds.
const REMOVALS: u32 = 20;
const BETWEEN_REMOVALS: Duration = Duration::from_secs(1);

/// Runs one request to the engine within a bound of its own.
pub(super) async fn bounded<T>(
    what: &'static str,
    limit: Duration,
    request: impl Future<Output = Result<T, Error>>,
) -> Result<T, SandboxError> {
    match tokio::time::timeout(limit, request).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => Err(failed(what, &error)),
        Err(_) => Err(SandboxError::EngineTimeOut {
            what,
            seconds: limit.as_secs(),
        }),
    }
}

/// An answer that says no is the engine's; anything else means that there was no answer.
fn failed(what: &'static str, error: &Error) -> SandboxError {
    let reason = one_line(&error.to_string());
    match error {
        Error::DockerResponseServerError { .. } | Error::DockerStreamError { .. } => {
            SandboxError::Engine { what, reason }
        }
        _ => SandboxError::EngineLost { what, reason },
    }
}

/// Whether the engine says that the thing isn't there.
pub(super) fn is_not_found(error: &Error) -> bool {
    matches!(error, Error::DockerResponseServerError { status_code: 404, .. })
}

/// Removes a container, running or not. One that isn't there is no error.
pub(super) async fn remove_container(docker: &Docker, name: &str) -> Result<(), SandboxError> {
    let options = || RemoveContainerOptionsBuilder::default().force(true).v(true).build();
    let remove = || {
        bounded("remove a container", REQUEST, async {
            match docker.remove_container(name, Some(options())).await {
                // 409: somebody else is removing it already.
                Err(Error::DockerResponseServerError {
                    status_code: 404 | 409, ..
                }) => Ok(()),
                other => other,
            }
        })
    };
    until_answered(remove).await
}

/// Asks again for as long as a daemon takes to be started again.
async fn until_answered<T, F: Future<Output = Result<T, SandboxError>>>(
    ask: impl Fn() -> F,
) -> Result<T, SandboxError> {
    for _ in 1..REMOVALS {
        match ask().await {
            Err(SandboxError::EngineLost { .. }) => tokio::time::sleep(BETWEEN_REMOVALS).await,
            other => return other,
        }
    }
    ask().await
}

/// Removes a volume. One that isn't there is no error.
///
/// # Errors
/// [`SandboxError::InUse`] when a container refers to it.
pub(super) async fn remove_volume(docker: &Docker, name: &str) -> Result<(), SandboxError> {
    let options = || RemoveVolumeOptionsBuilder::default().force(true).build();
    let remove = || {
        bounded("remove a volume", REQUEST, async {
            match docker.remove_volume(name, Some(options())).await {
                Err(error) if is_not_found(&error) => Ok(true),
                Err(Error::DockerResponseServerError { status_code: 409, .. }) => Ok(false),
                other => other.map(|()| true),
            }
        })
    };
    if until_answered(remove).await? {
        Ok(())
    } else {
        Err(SandboxError::InUse(name.to_owned()))
    }
}
