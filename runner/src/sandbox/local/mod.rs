//! Linux namespaces as a sandbox, without an engine: bubblewrap makes them, step by step.
//!
//! Bubblewrap is started without any right of its own: where we are root, `setpriv` first drops to
//! [`SANDBOX_UID`](super::SANDBOX_UID) on the host too, so that whoever got out of the namespaces would still be nobody. What it
//! can't bound itself, control groups bound (memory, CPU, processes) and a file system of limited size
//! (disk). What can't be had on a machine is missing in [`Sandbox::isolation`], never papered over.

mod cgroup;
mod classify;
mod disk;
mod probe;
mod profile;
mod run;
mod seccomp;
mod snapshot;
mod spawn;
mod store;
mod view;
mod workspace;

use async_trait::async_trait;
use holdpoint_schemas::estate::SandboxConfig;
use holdpoint_schemas::evidence::Isolation;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use self::cgroup::Groups;
use self::disk::Disks;
use self::store::Store;
use self::view::View;
use super::control::{Control, Controls, IsolationReport};
use super::keeper::Keeper;
use super::snapshot::{SnapshotInfo, SnapshotKey, TreeChange};
use super::{OnLine, SANDBOX_UID, Sandbox, StepOutcome, StepSpec, Swept, WorkspaceId};
use crate::error::SandboxError;

/// What a local sandbox is made of.
#[derive(Debug, Clone)]
pub struct LocalSettings {
    /// The estate's settings.
    pub config: SandboxConfig,
    /// Folder of workspaces and snapshots; made if it isn't there. Everyone must be able to pass through
    /// the folders above it, and its path has letters, digits and `/._-` only.
    pub root: PathBuf,
    /// Names this run in the records of what it makes.
    pub run: String,
    /// For whom its snapshots are kept. Without one, nobody but [`Sandbox::drop_snapshot`] removes them.
    pub keeper: Option<Keeper>,
    /// The controls to put in force: all, but in a test of one of them. Bubblewrap always sets
    /// [`Control::NoNewPrivileges`].
    pub controls: Controls,
    /// Control group to make the steps' groups in, by its path from the root of each hierarchy (`/name`). Without
    /// one, in this process's own.
    pub cgroup_parent: Option<String>,
}

impl LocalSettings {
    /// Settings with every control.
    #[must_use]
    pub fn new(config: SandboxConfig, root: impl Into<PathBuf>, run: impl Into<String>) -> Self {
        Self {
            config,
            root: root.into(),
            run: run.into(),
            keeper: None,
            controls: Controls::default(),
            cgroup_parent: None,
        }
    }
}

/// Runs each step in namespaces of its own. Folders carry a record of the owning process, so that a
/// later run can sweep what a killed one left.
#[derive(Debug)]
pub struct LocalSandbox {
    shared: Arc<Shared>,
    in_force: Controls,
}

/// What the sandbox's parts share.
#[derive(Debug)]
struct Shared {
    config: SandboxConfig,
    keeper: Option<Keeper>,
    controls: Controls,
    store: Store,
    view: View,
    groups: Groups,
    disks: Disks,
    /// `0.8.0`
    version: String,
}

impl LocalSandbox {
    /// Looks for bubblewrap, and finds out with a first step which controls this machine puts in force.
    ///
    /// # Errors
    /// When there is no bubblewrap, it can't make namespaces here, or the root folder can't be used;
    /// the message says what to do.
    pub async fn connect(settings: LocalSettings) -> Result<Self, SandboxError> {
        let mut shared = blocking("make a sandbox ready", move || Shared::new(settings)).await?;
        let mut seen = probe::observe(&shared).await;
        if seen.is_err() && shared.groups.any() {
            // Groups that can be made, but not joined: then without.
            shared.groups = Groups::default();
            seen = probe::observe(&shared).await;
        }
        let in_force = seen?.controls(&shared);
        Ok(Self {
            shared: Arc::new(shared),
            in_force,
        })
    }
}

impl Shared {
    fn new(settings: LocalSettings) -> Result<Self, SandboxError> {
        let version = view::bubblewrap_version()?;
        let store = Store::open(&settings.root, settings.run.clone())?;
        let as_root = rustix::process::geteuid().is_root();
        let view = View::make(&store, as_root, &settings.controls)?;
        let disks = Disks::find(&store, &view, &settings);
        Ok(Self {
            groups: Groups::find(settings.cgroup_parent.as_deref()),
            config: settings.config,
            keeper: settings.keeper,
            controls: settings.controls,
            store,
            view,
            disks,
            version,
        })
    }

    fn has(&self, control: Control) -> bool {
        self.controls.has(control)
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        if let Err(error) = self.store.discard(self.view.slot()) {
            tracing::warn!("a folder was left behind for the next sweep: {error}");
        }
    }
}

/// Runs what waits for a disk on a thread that may.
async fn blocking<T: Send + 'static>(
    what: &'static str,
    work: impl FnOnce() -> Result<T, SandboxError> + Send + 'static,
) -> Result<T, SandboxError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => Err(SandboxError::Local {
            what,
            reason: error.to_string(),
        }),
    }
}

/// An error of the system, with what was tried.
fn failed(what: &'static str) -> impl Fn(io::Error) -> SandboxError {
    move |error| SandboxError::Local {
        what,
        reason: error.to_string(),
    }
}

#[async_trait]
impl Sandbox for LocalSandbox {
    fn describe(&self) -> String {
        format!(
            "bubblewrap {}, host's programs, no network, uid {SANDBOX_UID}",
            self.shared.version
        )
    }

    fn programs(&self) -> String {
        self.shared.view.programs.clone()
    }

    fn isolation(&self) -> IsolationReport {
        IsolationReport {
            kind: Isolation::Namespaces,
            engine: format!("bubblewrap {}", self.shared.version),
            controls: self.in_force.clone(),
        }
    }

    async fn workspace(&self, tar: &[u8]) -> Result<WorkspaceId, SandboxError> {
        self.shared.make_workspace(tar).await
    }

    async fn seal(&self, workspace: WorkspaceId, key: &SnapshotKey) -> Result<SnapshotInfo, SandboxError> {
        let (shared, key) = (Arc::clone(&self.shared), key.clone());
        blocking("seal a workspace", move || shared.seal_workspace(&workspace, &key)).await
    }

    async fn snapshots(&self) -> Result<Vec<SnapshotInfo>, SandboxError> {
        let shared = Arc::clone(&self.shared);
        blocking("list snapshots", move || shared.list_snapshots()).await
    }

    async fn branch(&self, key: &SnapshotKey, change: &TreeChange) -> Result<WorkspaceId, SandboxError> {
        self.shared.branch_snapshot(key, change).await
    }

    async fn drop_snapshot(&self, key: &SnapshotKey) -> Result<(), SandboxError> {
        let (shared, key) = (Arc::clone(&self.shared), key.clone());
        blocking("remove a snapshot", move || shared.remove_snapshot(&key)).await
    }

    async fn run(&self, workspace: &WorkspaceId, step: &StepSpec, on_line: OnLine<'_>) -> StepOutcome {
        self.shared.run_step(workspace, step, on_line).await
    }

    async fn read_file(
        &self,
        workspace: &WorkspaceId,
        path: &str,
        max_bytes: usize,
    ) -> Result<Option<Vec<u8>>, SandboxError> {
        let (shared, workspace, path) = (Arc::clone(&self.shared), workspace.clone(), path.to_owned());
        blocking("read a file", move || {
            shared.read_workspace_file(&workspace, &path, max_bytes)
        })
        .await
    }

    async fn remove(&self, workspace: WorkspaceId) -> Result<(), SandboxError> {
        self.shared.remove_workspace(&workspace).await
    }

    async fn sweep(&self) -> Result<Swept, SandboxError> {
        let shared = Arc::clone(&self.shared);
        blocking("sweep", move || shared.sweep_dead()).await
    }

    async fn close(&self) -> Result<(), SandboxError> {
        let shared = Arc::clone(&self.shared);
        let what = "remove the view of the host";
        blocking(what, move || {
            shared.store.discard(shared.view.slot()).map_err(failed(what))
        })
        .await
    }
}
