//! Follows the one pod of a Job, through broken watches, `410 Gone` and a server that is away.
//!
//! What counts is the pod's latest state, so events that come twice or late change nothing.

use futures_util::StreamExt as _;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{ListParams, WatchParams};
use kube::core::WatchEvent;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::api::{Backoff, Cluster, Judgement, judge};
use super::profile::pods_of;

/// Length of one watch; at its end the pod is read anew, so that nothing is missed for longer.
const WATCH_SECONDS: u32 = 30;

/// What is known of the pod.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) enum Seen {
    /// There is none, as far as is known.
    #[default]
    Nothing,
    /// Its latest state.
    Pod(Arc<Pod>),
    /// It was there and is gone. With its last state, which may say how it ended.
    Deleted(Arc<Pod>),
    /// The server has been away for too long, or refuses to say.
    Lost(String),
}

/// A task that follows a Job's pod; it ends with this.
#[derive(Debug)]
pub(super) struct PodWatch {
    seen: watch::Receiver<Seen>,
    task: JoinHandle<()>,
}

impl PodWatch {
    pub(super) fn of(cluster: &Cluster, job: &str) -> Self {
        let (sender, seen) = watch::channel(Seen::Nothing);
        let cluster = cluster.clone();
        let selector = pods_of(job);
        let task = tokio::spawn(async move {
            let reason = follow(&cluster, &selector, &sender).await;
            sender.send_replace(Seen::Lost(reason));
        });
        Self { seen, task }
    }

    /// Waits for news. Can be dropped half-way without losing any.
    pub(super) async fn next(&mut self) -> Seen {
        match self.seen.changed().await {
            Ok(()) => self.seen.borrow_and_update().clone(),
            Err(_) => Seen::Lost("the watch ended".to_owned()),
        }
    }
}

impl Drop for PodWatch {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Lists and watches, again and again. Returns why it can't any more.
async fn follow(cluster: &Cluster, selector: &str, seen: &watch::Sender<Seen>) -> String {
    let mut backoff = Backoff::new(cluster.patience.outage);
    loop {
        let failure = match round(cluster, selector, seen).await {
            Ok(()) => {
                backoff.succeeded();
                continue;
            }
            Err(failure) => failure,
        };
        let reason = match failure {
            // The server has forgotten the version that was asked for; the next list has a newer one.
            Judgement::Refused { code: 410, reason } | Judgement::Passing { reason } => reason,
            Judgement::Refused { reason, .. } => return reason,
        };
        tracing::debug!("the watch of a pod broke: {reason}");
        match backoff.failed() {
            Some(pause) => tokio::time::sleep(pause).await,
            None => return reason,
        }
    }
}

/// One list, and the watch that starts from it, until that ends.
async fn round(cluster: &Cluster, selector: &str, seen: &watch::Sender<Seen>) -> Result<(), Judgement> {
    let api = cluster.api::<Pod>();
    let limit = cluster.patience.request;
    let listed = within(limit, api.list(&ListParams::default().labels(selector))).await?;
    let version = listed.metadata.resource_version.clone().unwrap_or_default();
    // A Job that nobody repeats has one pod; were there more, the youngest is the one that runs.
    match listed
        .items
        .into_iter()
        .max_by_key(|pod| pod.metadata.creation_timestamp.clone())
    {
        Some(pod) => put(seen, Seen::Pod(Arc::new(pod))),
        None => gone(seen),
    }
    let params = WatchParams::default().labels(selector).timeout(WATCH_SECONDS);
    let stream = within(limit, api.watch(&params, &version)).await?;
    let mut stream = Box::pin(stream);
    let end = tokio::time::Instant::now() + Duration::from_secs(u64::from(WATCH_SECONDS)) + limit;
    loop {
        let event = match tokio::time::timeout_at(end, stream.next()).await {
            Ok(Some(event)) => event.map_err(|error| judge(&error))?,
            // At its end, and also where the connection died without a word.
            Ok(None) | Err(_) => return Ok(()),
        };
        match event {
            WatchEvent::Added(pod) | WatchEvent::Modified(pod) => put(seen, Seen::Pod(Arc::new(pod))),
            WatchEvent::Deleted(pod) => put(seen, Seen::Deleted(Arc::new(pod))),
            WatchEvent::Bookmark(_) => {}
            WatchEvent::Error(status) => return Err(judge(&kube::Error::Api(status))),
        }
    }
}

async fn within<T>(limit: Duration, request: impl Future<Output = Result<T, kube::Error>>) -> Result<T, Judgement> {
    match tokio::time::timeout(limit, request).await {
        Ok(answer) => answer.map_err(|error| judge(&error)),
        Err(_) => Err(Judgement::Passing {
            reason: format!("no answer within {} s", limit.as_secs()),
        }),
    }
}

fn put(seen: &watch::Sender<Seen>, now: Seen) {
    seen.send_if_modified(|before| {
        // Gone is gone: an event from before that comes late doesn't bring the pod back.
        let changes = !matches!(before, Seen::Deleted(_)) && *before != now;
        if changes {
            *before = now;
        }
        changes
    });
}

/// The list doesn't have the pod (any more).
fn gone(seen: &watch::Sender<Seen>) {
    seen.send_if_modified(|before| match before {
        Seen::Pod(last) => {
            *before = Seen::Deleted(Arc::clone(last));
            true
        }
        _ => false,
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod(phase: &str) -> Arc<Pod> {
        Arc::new(serde_json::from_value(serde_json::json!({"metadata": {}, "status": {"phase": phase}})).unwrap())
    }

    #[test]
    fn a_pod_that_was_there_and_is_not_listed_any_more_is_deleted() {
        let (sender, mut seen) = watch::channel(Seen::Nothing);
        gone(&sender);
        assert!(!seen.has_changed().unwrap());
        put(&sender, Seen::Pod(pod("Running")));
        gone(&sender);
        assert_eq!(*seen.borrow_and_update(), Seen::Deleted(pod("Running")));
        put(&sender, Seen::Pod(pod("Pending")));
        assert!(!seen.has_changed().unwrap());
    }

    #[test]
    fn an_event_that_comes_twice_is_no_news() {
        let (sender, mut seen) = watch::channel(Seen::Nothing);
        put(&sender, Seen::Pod(pod("Running")));
        seen.borrow_and_update();
        put(&sender, Seen::Pod(pod("Running")));
        assert!(!seen.has_changed().unwrap());
    }
}
