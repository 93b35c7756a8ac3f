//! Requests to the API server: each bounded in time, and repeated while the server is only busy or away.

use kube::core::{NamespaceResourceScope, Resource};
use kube::{Api, Client, Error};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt::Debug;
use std::future::Future;
use std::time::{Duration, Instant};

use crate::error::SandboxError;
use crate::text::one_line;

/// First pause after a failed request; it doubles with each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// Longest pause: the server's own clients wait about as long.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// How long things of the cluster may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Patience {
    /// For one request to be answered.
    pub request: Duration,
    /// For the whole of a transfer: a source tree in, a file out.
    pub transfer: Duration,
    /// For the API server to come back before a step counts as lost.
    pub outage: Duration,
    /// For the cluster to find room for a pod: it queues, and that is its task.
    pub queue: Duration,
    /// For an image that can't be pulled: registries have bad minutes, wrong names stay wrong.
    pub pull: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            request: Duration::from_secs(30),
            transfer: Duration::from_secs(600),
            outage: Duration::from_secs(180),
            queue: Duration::from_secs(1_800),
            pull: Duration::from_secs(120),
        }
    }
}

/// A request that came to nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ApiError {
    /// The server said no.
    Refused {
        what: &'static str,
        /// HTTP status; 0 when the answer made no sense.
        code: u16,
        reason: String,
    },
    /// The server was away or busy for longer than a step can wait.
    Gone { what: &'static str, reason: String },
}

impl ApiError {
    /// HTTP status of a refusal.
    pub(super) fn code(&self) -> Option<u16> {
        match self {
            Self::Refused { code, .. } => Some(*code),
            Self::Gone { .. } => None,
        }
    }
}

impl From<ApiError> for SandboxError {
    fn from(error: ApiError) -> Self {
        match error {
            ApiError::Refused { what, reason, .. } | ApiError::Gone { what, reason } => Self::Engine { what, reason },
        }
    }
}

/// Pauses between attempts, and when to give up.
#[derive(Debug)]
pub(super) struct Backoff {
    pause: Duration,
    failing_since: Option<Instant>,
    limit: Duration,
}

impl Backoff {
    pub(super) fn new(limit: Duration) -> Self {
        Self {
            pause: FIRST_PAUSE,
            failing_since: None,
            limit,
        }
    }

    pub(super) fn succeeded(&mut self) {
        *self = Self::new(self.limit);
    }

    /// How long to wait before the next attempt; `None` when it has failed for too long.
    pub(super) fn failed(&mut self) -> Option<Duration> {
        let since = *self.failing_since.get_or_insert_with(Instant::now);
        let left = self.limit.checked_sub(since.elapsed())?;
        let pause = self.pause.min(left);
        self.pause = self.pause.saturating_mul(2).min(LONGEST_PAUSE);
        Some(pause)
    }
}

/// A namespace of a cluster.
#[derive(Clone)]
pub(super) struct Cluster {
    pub(super) client: Client,
    pub(super) namespace: String,
    pub(super) patience: Patience,
}

impl Cluster {
    pub(super) fn api<K>(&self) -> Api<K>
    where
        K: Resource<Scope = NamespaceResourceScope>,
        K::DynamicType: Default,
    {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// Repeats a request until it succeeds, is refused, or the server has been away for too long.
    /// The request is told whether it is a repetition.
    pub(super) async fn ask<T, F>(&self, what: &'static str, mut request: impl FnMut(bool) -> F) -> Result<T, ApiError>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let mut backoff = Backoff::new(self.patience.outage);
        let mut again = false;
        loop {
            let reason = match tokio::time::timeout(self.patience.request, request(again)).await {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(error)) => match judge(&error) {
                    Judgement::Refused { code, reason } => return Err(ApiError::Refused { what, code, reason }),
                    Judgement::Passing { reason } => reason,
                },
                Err(_) => format!("no answer within {} s", self.patience.request.as_secs()),
            };
            again = true;
            match backoff.failed() {
                Some(pause) => tokio::time::sleep(pause).await,
                None => return Err(ApiError::Gone { what, reason }),
            }
        }
    }

    /// Creates an object. Its name is one that nobody else makes: when it is there at the second
    /// attempt, the first one made it and only the answer was lost.
    pub(super) async fn create<K>(&self, what: &'static str, name: &str, object: &K) -> Result<K, ApiError>
    where
        K: Resource<Scope = NamespaceResourceScope> + Clone + DeserializeOwned + Serialize + Debug,
        K::DynamicType: Default,
    {
        let api = self.api::<K>();
        self.ask(what, |again| {
            let api = api.clone();
            async move {
                match api.create(&kube::api::PostParams::default(), object).await {
                    Err(Error::Api(status)) if again && status.code == 409 => api.get(name).await,
                    other => other,
                }
            }
        })
        .await
    }

    /// Deletes an object and, in the background, all that it owns. One that isn't there is no error.
    pub(super) async fn delete<K>(&self, what: &'static str, name: &str) -> Result<bool, ApiError>
    where
        K: Resource<Scope = NamespaceResourceScope> + Clone + DeserializeOwned + Debug,
        K::DynamicType: Default,
    {
        let api = self.api::<K>();
        self.ask(what, |again| {
            let api = api.clone();
            async move {
                match api.delete(name, &kube::api::DeleteParams::background()).await {
                    Ok(_) => Ok(true),
                    Err(Error::Api(status)) if status.code == 404 => Ok(again),
                    Err(error) => Err(error),
                }
            }
        })
        .await
    }
}

/// What an error of the client means.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Judgement {
    /// It will be the same next time.
    Refused { code: u16, reason: String },
    /// It may do better next time.
    Passing { reason: String },
}

/// Tells a server that is away or busy from one that says no.
pub(super) fn judge(error: &Error) -> Judgement {
    let reason = one_line(&error_text(error));
    match error {
        Error::Api(status) => match status.code {
            // 429 and the 5xx that a server, or a balancer before it, gives while it is in trouble.
            429 | 500 | 502 | 503 | 504 => Judgement::Passing { reason },
            code => Judgement::Refused { code, reason },
        },
        Error::UpgradeConnection(_) | Error::HyperError(_) | Error::Service(_) | Error::ReadEvents(_) => {
            Judgement::Passing { reason }
        }
        // A connection that breaks in the middle of an answer leaves half a document.
        Error::SerdeError(cause) if cause.is_eof() => Judgement::Passing { reason },
        _ => Judgement::Refused { code: 0, reason },
    }
}

fn error_text(error: &Error) -> String {
    match error {
        Error::Api(status) if !status.message.is_empty() => status.message.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(code: u16) -> Error {
        Error::Api(Box::new(kube::core::Status {
            code,
            message: "said\nso".to_owned(),
            ..kube::core::Status::default()
        }))
    }

    #[test]
    fn a_busy_server_is_asked_again_and_a_refusal_is_final() {
        for code in [429, 500, 502, 503, 504] {
            assert!(matches!(judge(&status(code)), Judgement::Passing { .. }), "{code}");
        }
        for code in [400, 401, 403, 404, 409, 410, 422] {
            assert_eq!(
                judge(&status(code)),
                Judgement::Refused {
                    code,
                    reason: "said".to_owned()
                }
            );
        }
    }

    #[test]
    fn pauses_grow_to_a_bound_and_end_with_the_patience() {
        let mut backoff = Backoff::new(Duration::from_secs(3_600));
        let pauses: Vec<_> = (0..12).filter_map(|_| backoff.failed()).collect();
        assert_eq!(pauses.first(), Some(&FIRST_PAUSE));
        assert_eq!(pauses.last(), Some(&LONGEST_PAUSE));
        assert!(pauses.is_sorted());
        backoff.succeeded();
        assert_eq!(backoff.failed(), Some(FIRST_PAUSE));
        let mut spent = Backoff::new(Duration::ZERO);
        spent.failed();
        assert_eq!(spent.failed(), None);
    }
}
