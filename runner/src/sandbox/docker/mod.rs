//! The Docker engine as a sandbox, over its unix socket.

mod ahead;
mod container;
mod disk;
mod ending;
mod engine;
pub(in crate::sandbox) mod image;
mod layer;
mod probe;
mod profile;
mod runtime;
mod seccomp;
mod snapshots;
mod sweep;
mod watch;
mod workspace;

use async_trait::async_trait;
use bollard::{API_DEFAULT_VERSION, Docker};
use holdpoint_schemas::estate::SandboxConfig;
use holdpoint_schemas::evidence::Isolation;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use self::disk::Disks;
use self::engine::{REQUEST, bounded};
use self::image::Image;
use self::profile::Rules;
use self::workspace::Workspaces;
use super::control::{Controls, IsolationReport};
use super::keeper::Keeper;
use super::owner::Owner;
use super::snapshot::{SnapshotInfo, SnapshotKey, TreeChange};
use super::{OnLine, REPO_DIR, SANDBOX_UID, Sandbox, StepOutcome, StepSpec, Swept, WORKSPACE_DIR, WorkspaceId};
use crate::error::SandboxError;

/// Where Docker listens unless told otherwise.
pub const DEFAULT_SOCKET: &str = "/var/run/docker.sock";
/// Of the connection. Each request has its own, shorter bound, except uploads and pulls.
const CONNECTION_SECONDS: u64 = 900;

/// Begins the names of containers and volumes; their owner's follows.
const NAME_PREFIX: &str = "holdpoint-";

/// What a Docker sandbox is made of.
#[derive(Debug, Clone)]
pub struct SandboxSettings {
    /// The estate's settings.
    pub config: SandboxConfig,
    /// Socket of the engine.
    pub socket: PathBuf,
    /// Names this run in labels.
    pub run: String,
    /// The controls to put in force: all, but in a test of one of them.
    pub controls: Controls,
    /// The control group above that of each step, as the engine's `cgroup_parent` takes it: a bound over
    /// all steps together. `None`: the engine's own.
    pub cgroup_parent: Option<String>,
    /// For whom its snapshots are kept. Without one, nobody but [`Sandbox::drop_snapshot`] removes them.
    pub keeper: Option<Keeper>,
    /// Whether it may mount file systems to bound the disk of workspaces, where this process is root on the
    /// engine's host. Else disks are watched.
    pub may_mount: bool,
}

impl SandboxSettings {
    /// Settings for the engine's usual socket.
    #[must_use]
    pub fn new(config: SandboxConfig, run: impl Into<String>) -> Self {
        Self {
            config,
            socket: PathBuf::from(DEFAULT_SOCKET),
            run: run.into(),
            controls: Controls::default(),
            cgroup_parent: None,
            keeper: None,
            may_mount: true,
        }
    }
}

/// Runs each step in a container of its own. Containers and volumes carry labels that name the
/// owning process, so that a later run can sweep what a killed one left.
#[derive(Debug)]
pub struct DockerSandbox {
    docker: Docker,
    image: Image,
    owner: Owner,
    keeper: Option<Keeper>,
    run: String,
    version: String,
    /// Processors of the engine's machine, as far as it tells.
    cpus: Option<i64>,
    rules: Rules,
    /// Runtime of every container; the engine's default without.
    runtime: Option<String>,
    /// The one that is in force, by name.
    runtime_name: String,
    kind: Isolation,
    /// Bounds what a workspace adds.
    disks: Disks,
    /// Whether the engine can lay a workspace over a snapshot.
    layers: bool,
    workspaces: Mutex<Workspaces>,
}

impl DockerSandbox {
    /// Connects to the engine and finds the image to run steps in: the configured one if the engine
    /// has it or may pull it, else the host-view image.
    ///
    /// # Errors
    /// When no engine answers, or there is no image; the message says what to do.
    pub async fn connect(settings: SandboxSettings) -> Result<Self, SandboxError> {
        let no_engine = |reason: String| SandboxError::NoEngine {
            socket: settings.socket.clone(),
            reason: one_line(&reason),
        };
        let socket = settings.socket.to_string_lossy().into_owned();
        let docker = Docker::connect_with_unix(&socket, CONNECTION_SECONDS, API_DEFAULT_VERSION)
            .map_err(|error| no_engine(error.to_string()))?;
        // Engines refuse versions newer than their own; ours goes down to theirs (1.41 for Docker 20.10).
        let docker = match tokio::time::timeout(REQUEST, docker.negotiate_version()).await {
            Ok(negotiated) => negotiated.map_err(|error| no_engine(error.to_string()))?,
            Err(_) => return Err(no_engine(format!("no answer within {} s", REQUEST.as_secs()))),
        };
        let version = bounded("tell its version", REQUEST, docker.version()).await?.version;
        let cpus = bounded("tell of its machine", REQUEST, docker.info()).await?.ncpu;
        let image = Image::find(&docker, &settings.config).await?;
        let mut sandbox = Self {
            docker,
            image,
            owner: Owner::this_process().map_err(SandboxError::NoOwner)?,
            keeper: settings.keeper,
            run: settings.run,
            cpus: cpus.filter(|cpus| *cpus > 0),
            version: version.unwrap_or_else(|| "of unknown version".to_owned()),
            rules: Rules {
                controls: settings.controls,
                cgroup_parent: settings.cgroup_parent,
            },
            runtime: None,
            runtime_name: String::new(),
            kind: Isolation::Container,
            disks: Disks { mib: None },
            layers: false,
            workspaces: Mutex::default(),
        };
        sandbox.choose_runtime(settings.config.runtime).await?;
        let disk_mib = settings.may_mount.then_some(settings.config.disk_mib);
        sandbox.probe(disk_mib).await;
        Ok(sandbox)
    }

    /// A name that no other container or volume has: of this process, and counted over all its sandboxes.
    fn fresh_name(&self) -> String {
        static COUNTER: AtomicU64 = AtomicU64::new(0);
        let count = COUNTER.fetch_add(1, Ordering::Relaxed);
        format!("{NAME_PREFIX}{}-{count}", self.owner.unique())
    }

    fn labels(&self) -> HashMap<String, String> {
        self.owner.labels(&self.run)
    }
}

fn one_line(text: &str) -> String {
    crate::text::one_line(text)
}

#[async_trait]
impl Sandbox for DockerSandbox {
    fn describe(&self) -> String {
        format!(
            "docker {}, {}, {}, {}, no network, uid {SANDBOX_UID}",
            self.version,
            self.runtime_name,
            match (self.layers, &self.disks.mib) {
                (true, Some(_)) => "layered snapshots on bounded disks",
                (true, None) => "layered snapshots on watched disks",
                (false, _) => "no snapshots",
            },
            self.image.describe()
        )
    }

    fn programs(&self) -> String {
        self.image.programs()
    }

    fn isolation(&self) -> IsolationReport {
        IsolationReport {
            kind: self.kind,
            engine: format!("docker {}, {}", self.version, self.runtime_name),
            controls: self.rules.controls.clone(),
        }
    }

    fn look(&self, workspace: &WorkspaceId) -> Option<String> {
        let binds: Vec<String> = self
            .image
            .mounts()
            .iter()
            .map(|mount| format!(" -v {}:{}:ro", mount.host.display(), mount.inside))
            .collect();
        Some(format!(
            "docker run --rm -it --network none --user {SANDBOX_UID} -v {}:{WORKSPACE_DIR} -w {REPO_DIR}{} {} sh",
            workspace.as_str(),
            binds.concat(),
            self.image.name()
        ))
    }

    async fn workspace(&self, tar: &[u8]) -> Result<WorkspaceId, SandboxError> {
        self.make_workspace(tar).await
    }

    async fn seal(&self, workspace: WorkspaceId, key: &SnapshotKey) -> Result<SnapshotInfo, SandboxError> {
        self.seal_workspace(workspace, key).await
    }

    async fn snapshots(&self) -> Result<Vec<SnapshotInfo>, SandboxError> {
        self.list_snapshots().await
    }

    async fn branch(&self, key: &SnapshotKey, change: &TreeChange) -> Result<WorkspaceId, SandboxError> {
        self.branch_of(key, change).await
    }

    async fn drop_snapshot(&self, key: &SnapshotKey) -> Result<(), SandboxError> {
        self.drop_of(key).await
    }

    fn expect(&self, workspace: &WorkspaceId, step: &StepSpec) {
        self.expect_step(workspace, step);
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
        self.sweep_all().await
    }
}
