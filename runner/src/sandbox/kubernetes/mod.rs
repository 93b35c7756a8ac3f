//! Kubernetes as a sandbox: Jobs of any cluster, by its API. The cluster schedules, queues and bounds;
//! this only submits and watches.
//!
//! # How a tree gets there, and what comes back
//! A workspace is a volume (a claim of the cluster's default class, for one node at a time) and a small
//! pod that keeps it at hand, the *holder*. The tree goes in by `tar` over the API server's `exec` into
//! the holder, and files come back the same way. Each step is a Job of its own on the holder's node, with
//! the `workspace` folder of the volume as its workspace: its own container, process namespace and
//! control group, which end with it. Long-lived pods in which steps are `exec`ed would be faster, but
//! what a step leaves running would meet the next one; volumes for many nodes at once exist on few
//! clusters; and to carry the whole tree in and out of each step costs more than the step.
//!
//! The holder has no secret, no token and no network, like every pod here; a step can write nothing of
//! the volume but `workspace`, and the file that its captured output goes to.
//!
//! # What is whose
//! A lease that this process renews owns the network policy and the holders; a holder owns its volume and
//! its steps. Deleting the lease deletes all; every Job has a deadline and a time to live besides.
//!
//! A snapshot is a workspace's volume that is nobody's: no holder, no lease. A branch is a copy of it in a
//! volume of its own; storage that clones would be faster, and isn't everywhere.
//!
//! # What it is worth
//! What the API takes is not yet what nodes do: whether the network policy holds and processes are bounded
//! is up to the cluster. So [`Sandbox::isolation`] is [`Isolation::Unproven`] until the conformance suite
//! has passed there ([`record`]).
//!
//! Needed in the namespace: create, get, list, patch and delete `jobs`, `persistentvolumeclaims`, `leases` and
//! `networkpolicies`; get, list and watch `pods`; get `pods/log`; create and get `pods/exec`; list
//! `events`. Of the cluster: get the namespace `kube-system` and the `runtimeclasses`, list `nodes`; without
//! these, isolation stays unproven, its kind container, and pods have no user namespace of their own.

mod api;
mod classify;
mod connect;
mod exec;
mod lease;
mod logs;
mod profile;
pub mod record;
mod script;
mod snapshot;
mod step;
mod watch;
mod workspace;

use async_trait::async_trait;
use holdpoint_schemas::estate::SandboxConfig;
use holdpoint_schemas::evidence::Isolation;
use k8s_openapi::jiff::Timestamp;
use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use self::api::Cluster;
pub use self::api::Patience;
use self::lease::OwnLease;
use self::profile::Profile;
use self::record::ClusterIdentity;
use self::workspace::Holder;
use super::control::{Controls, IsolationReport};
use super::owner::Owner;
use super::snapshot::{SnapshotInfo, SnapshotKey, TreeChange};
use super::{OnLine, SANDBOX_UID, Sandbox, StepOutcome, StepSpec, Swept, WorkspaceId};
use crate::error::SandboxError;

/// Namespace of the pods, without a configured one.
pub const DEFAULT_NAMESPACE: &str = "holdpoint";

/// What a Kubernetes sandbox is made of.
#[derive(Debug, Clone)]
pub struct KubernetesSettings {
    /// The estate's settings. It must name an image: nodes have no host-view image.
    pub config: SandboxConfig,
    /// Names this run, for people.
    pub run: String,
    /// The controls to put in force: all, but in a test of one of them.
    pub controls: Controls,
    /// The kubeconfig; without one, what `KUBECONFIG` or `~/.kube/config` say, or, inside of a
    /// cluster, its service account.
    pub kubeconfig: Option<PathBuf>,
    /// Text of the record that `config.kubernetes.conformance` names.
    pub conformance: Option<String>,
    /// Version of the conformance suite that a record must be of.
    pub suite: String,
    /// How long things may take.
    pub patience: Patience,
}

impl KubernetesSettings {
    /// Settings for the configured cluster, without a record.
    #[must_use]
    pub fn new(config: SandboxConfig, run: impl Into<String>) -> Self {
        Self {
            config,
            run: run.into(),
            controls: Controls::default(),
            kubeconfig: None,
            conformance: None,
            suite: SUITE.to_owned(),
            patience: Patience::default(),
        }
    }
}

/// Version of the conformance suite. A change of what it shows is a new version, and voids records.
pub const SUITE: &str = "1";

/// Runs each step in a Job of its own.
pub struct KubernetesSandbox {
    cluster: Cluster,
    profile: Profile,
    lease: OwnLease,
    owner: Owner,
    identity: ClusterIdentity,
    kind: Isolation,
    holders: Mutex<HashMap<String, Holder>>,
    counter: AtomicU64,
}

impl fmt::Debug for KubernetesSandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KubernetesSandbox")
            .field("id", &self.profile.id)
            .field("cluster", &self.identity)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

impl KubernetesSandbox {
    /// Which cluster this is, for a record of the conformance suite.
    #[must_use]
    pub fn identity(&self) -> &ClusterIdentity {
        &self.identity
    }

    /// Gives back what there is of this sandbox in the cluster, and waits for the answer. Without it that
    /// happens when the sandbox is dropped, as far as the program still runs then.
    ///
    /// # Errors
    /// When the cluster doesn't answer; the next sweep does it then.
    pub async fn close(self) -> Result<(), SandboxError> {
        self.lease.release().await
    }

    /// A name that no other object has. `what` is one letter.
    fn fresh_name(&self, what: &str) -> String {
        let count = self.counter.fetch_add(1, Ordering::Relaxed);
        format!("{}-{what}{count}", self.profile.id)
    }

    fn engine(&self) -> String {
        let runtime = self.identity.runtime.as_deref().unwrap_or("the nodes' default runtime");
        format!("kubernetes {}, {runtime}", self.identity.version)
    }
}

#[async_trait]
impl Sandbox for KubernetesSandbox {
    fn describe(&self) -> String {
        let proven = match self.kind {
            Isolation::Unproven => "isolation unproven on this cluster",
            _ => "isolation proven by the conformance suite",
        };
        format!(
            "{}, image `{}`, namespace `{}`, no network, uid {SANDBOX_UID}, {proven}",
            self.engine(),
            self.profile.image,
            self.cluster.namespace,
        )
    }

    /// An image that is named by its digest is always the same. A tag may name another one tomorrow, and the nodes have
    /// different ones: what was built with it is this sandbox's alone.
    fn programs(&self) -> String {
        match self.profile.image.contains("@sha256:") {
            true => self.profile.image.clone(),
            false => self.profile.id.clone(),
        }
    }

    fn isolation(&self) -> IsolationReport {
        IsolationReport {
            kind: self.kind,
            engine: self.engine(),
            controls: self.profile.controls.clone(),
        }
    }

    async fn workspace(&self, tar: &[u8]) -> Result<WorkspaceId, SandboxError> {
        self.make_workspace(tar).await
    }

    async fn seal(&self, workspace: WorkspaceId, key: &SnapshotKey) -> Result<SnapshotInfo, SandboxError> {
        self.seal_workspace(&workspace, key).await
    }

    async fn snapshots(&self) -> Result<Vec<SnapshotInfo>, SandboxError> {
        self.all_snapshots().await
    }

    async fn branch(&self, key: &SnapshotKey, change: &TreeChange) -> Result<WorkspaceId, SandboxError> {
        self.branch_of(key, change).await
    }

    async fn drop_snapshot(&self, key: &SnapshotKey) -> Result<(), SandboxError> {
        self.forget_snapshot(key).await
    }

    async fn run(&self, workspace: &WorkspaceId, step: &StepSpec, on_line: OnLine<'_>) -> StepOutcome {
        self.run_step(workspace, step, on_line).await
    }

    async fn read_file(
        &self,
        workspace: &WorkspaceId,
        path: &str,
        max_bytes: usize,
    ) -> Result<Option<Vec<u8>>, SandboxError> {
        self.read_workspace_file(workspace, path, max_bytes).await
    }

    async fn remove(&self, workspace: WorkspaceId) -> Result<(), SandboxError> {
        self.remove_workspace(&workspace).await
    }

    async fn sweep(&self) -> Result<Swept, SandboxError> {
        lease::sweep(&self.cluster, &self.owner, Timestamp::now()).await
    }
}
