//! Whose is what: a lease that a sandbox renews while its process lives, and that owns all it makes.
//!
//! A lease that nobody renews is a sandbox whose process is gone. Deleting the lease is all there is
//! to cleaning up: the cluster's garbage collector takes what it owns.

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::PersistentVolumeClaim;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use kube::api::{ListParams, Patch, PatchParams};
use serde_json::json;
use std::collections::{BTreeSet, HashMap};
use std::time::Duration;
use tokio::task::JoinHandle;

use super::api::Cluster;
use super::profile::{LABEL, LABEL_RUN, LABEL_VALUE, Owned, Profile};
use crate::error::SandboxError;
use crate::sandbox::Swept;
use crate::sandbox::owner::{self, Owner};

/// How long a lease is good after it was renewed.
const LEASE_SECONDS: i32 = 180;
/// How often it is renewed: three renewals may fail.
const RENEW: Duration = Duration::from_secs(45);
/// Clocks of machines may differ by this much before one takes the other for dead.
const CLOCK_SKEW: SignedDuration = SignedDuration::from_mins(5);

/// The lease of this sandbox, renewed by a task of its own, and deleted with it.
#[derive(Debug)]
pub(super) struct OwnLease {
    name: String,
    uid: String,
    cluster: DebugCluster,
    heartbeat: JoinHandle<()>,
}

/// A client has nothing to show.
struct DebugCluster(Cluster);

impl std::fmt::Debug for DebugCluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.namespace)
    }
}

impl OwnLease {
    pub(super) async fn take(cluster: &Cluster, profile: &Profile, owner: &Owner) -> Result<Self, SandboxError> {
        let notes = owner
            .labels(&profile.run)
            .into_iter()
            .map(|(name, value)| (note(&name), value));
        let lease = profile.lease(notes.collect(), MicroTime(Timestamp::now()), LEASE_SECONDS);
        let lease = cluster.create::<Lease>("create a lease", &profile.id, &lease).await?;
        Ok(Self {
            name: profile.id.clone(),
            uid: lease.metadata.uid.unwrap_or_default(),
            cluster: DebugCluster(cluster.clone()),
            heartbeat: tokio::spawn(renew(cluster.clone(), profile.id.clone())),
        })
    }

    /// Deletes it, and with it all that it owns.
    pub(super) async fn release(mut self) -> Result<(), SandboxError> {
        self.heartbeat.abort();
        let name = std::mem::take(&mut self.name);
        self.cluster.0.delete::<Lease>("delete a lease", &name).await?;
        Ok(())
    }

    pub(super) fn as_owner(&self) -> Owned<'_> {
        Owned {
            kind: "Lease",
            version: "coordination.k8s.io/v1",
            name: &self.name,
            uid: &self.uid,
        }
    }
}

impl Drop for OwnLease {
    fn drop(&mut self) {
        self.heartbeat.abort();
        if self.name.is_empty() {
            return;
        }
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let (cluster, name) = (self.cluster.0.clone(), self.name.clone());
            runtime.spawn(async move {
                if let Err(error) = cluster.delete::<Lease>("delete a lease", &name).await {
                    let error = SandboxError::from(error);
                    tracing::warn!("a lease was left behind for the next sweep: {error}");
                }
            });
        }
    }
}

async fn renew(cluster: Cluster, name: String) {
    let mut ticks = tokio::time::interval(RENEW);
    ticks.tick().await;
    loop {
        ticks.tick().await;
        let now = MicroTime(Timestamp::now());
        let patch = Patch::Merge(json!({"spec": {"renewTime": now}}));
        let api = cluster.api::<Lease>();
        let params = PatchParams::default();
        let renewed = tokio::time::timeout(cluster.patience.request, api.patch(&name, &params, &patch)).await;
        if !matches!(renewed, Ok(Ok(_))) {
            tracing::debug!("the lease `{name}` was not renewed this time");
        }
    }
}

/// The owner's labels are no label values of Kubernetes, so they are annotations.
fn note(label: &str) -> String {
    format!(
        "holdpoint.dev/owner-{}",
        label.strip_prefix("holdpoint.").unwrap_or("mark")
    )
}

/// Whether a lease's process is certainly gone.
fn is_dead(lease: &Lease, me: &Owner, now: Timestamp) -> bool {
    let notes = lease.metadata.annotations.iter().flatten();
    let by_note: HashMap<&str, &str> = notes.map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let labels: HashMap<String, String> = me
        .labels("")
        .into_keys()
        .filter_map(|label| Some((label.clone(), (*by_note.get(note(&label).as_str())?).to_owned())))
        .collect();
    // Another start of another machine's kernel says nothing about the process there.
    if me.same_boot(&labels) && owner::is_gone(&labels, me) {
        return true;
    }
    let spec = lease.spec.as_ref();
    let renewed = spec.and_then(|spec| spec.renew_time.as_ref()).map(|time| time.0);
    let good = spec
        .and_then(|spec| spec.lease_duration_seconds)
        .unwrap_or(LEASE_SECONDS);
    let limit = SignedDuration::from_secs(i64::from(good)).saturating_add(CLOCK_SKEW);
    // A lease without a time never was renewed by us, and its age is unknown.
    renewed.is_some_and(|renewed| now.duration_since(renewed) > limit)
}

/// Deletes the leases of sandboxes whose process is gone; counts what goes with them.
pub(super) async fn sweep(cluster: &Cluster, me: &Owner, now: Timestamp) -> Result<Swept, SandboxError> {
    let mine = ListParams::default().labels(&format!("{LABEL}={LABEL_VALUE}"));
    let (jobs, claims, leases) = (
        cluster.api::<Job>(),
        cluster.api::<PersistentVolumeClaim>(),
        cluster.api::<Lease>(),
    );
    let leases = cluster.ask("list leases", |_| leases.list(&mine)).await?;
    let mut dead = BTreeSet::new();
    for lease in leases.items.iter().filter(|lease| is_dead(lease, me, now)) {
        let Some(name) = &lease.metadata.name else { continue };
        dead.insert(name.clone());
    }
    let run_of = |labels: &Option<std::collections::BTreeMap<String, String>>| {
        let run = labels.as_ref()?.get(LABEL_RUN)?;
        dead.contains(run).then_some(())
    };
    let jobs = cluster.ask("list jobs", |_| jobs.list(&mine)).await?;
    let claims = cluster.ask("list volume claims", |_| claims.list(&mine)).await?;
    let swept = Swept {
        containers: jobs.items.iter().filter_map(|job| run_of(&job.metadata.labels)).count(),
        volumes: claims
            .items
            .iter()
            .filter_map(|claim| run_of(&claim.metadata.labels))
            .count(),
    };
    for name in &dead {
        cluster.delete::<Lease>("delete a lease", name).await?;
    }
    Ok(swept)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lease(notes: HashMap<String, String>, renewed: &str) -> Lease {
        let notes: HashMap<_, _> = notes.into_iter().map(|(name, value)| (note(&name), value)).collect();
        serde_json::from_value(json!({
            "metadata": {"name": "holdpoint-1", "annotations": notes},
            "spec": {"renewTime": renewed, "leaseDurationSeconds": 180},
        }))
        .unwrap()
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_lease_is_dead_when_its_time_and_the_clocks_difference_are_over() {
        let me = Owner::this_process().unwrap();
        let lease = lease(HashMap::new(), "2026-01-01T00:00:00.000000Z");
        assert!(!is_dead(&lease, &me, at("2026-01-01T00:07:59Z")));
        assert!(is_dead(&lease, &me, at("2026-01-01T00:08:01Z")));
        // A clock that is behind kills nobody.
        assert!(!is_dead(&lease, &me, at("2025-12-31T00:00:00Z")));
    }

    #[test]
    fn a_process_of_this_machine_that_is_gone_is_dead_at_once_and_another_machines_is_not() {
        let me = Owner::this_process().unwrap();
        let now = "2026-01-01T00:00:00.000000Z";
        assert!(!is_dead(&lease(me.labels("r"), now), &me, at(now)));
        let mut gone = me.labels("r");
        gone.insert("holdpoint.pid-start".to_owned(), "1".to_owned());
        assert!(is_dead(&lease(gone.clone(), now), &me, at(now)));
        gone.insert("holdpoint.boot".to_owned(), "another".to_owned());
        assert!(!is_dead(&lease(gone, now), &me, at(now)));
    }
}
