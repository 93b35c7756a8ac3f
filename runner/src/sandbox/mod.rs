//! Where steps run: a trait, so that the engine behind it can be exchanged.

pub mod control;
pub mod docker;
mod full_disk;
pub mod keeper;
pub mod kubernetes;
pub mod local;
mod output;
pub(crate) mod owner;
pub mod snapshot;
mod syscalls;
pub mod tree;

use async_trait::async_trait;
use holdpoint_schemas::estate::SandboxConfig;
use holdpoint_schemas::evidence::{Side, StepEnd};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use self::control::IsolationReport;
use self::snapshot::{SnapshotInfo, SnapshotKey, TreeChange};
use crate::error::SandboxError;

/// User and group that every step runs as. Not 65534: that one owns reserved disk blocks on some hosts.
pub const SANDBOX_UID: u32 = 10001;
/// Where a workspace is seen.
pub const WORKSPACE_DIR: &str = "/workspace";
/// Where the repo's tree is seen; steps start here.
pub const REPO_DIR: &str = "/workspace/repo";
/// Where scanners leave their reports: in the workspace, outside of the tree.
pub const REPORT_DIR: &str = "/workspace/report";
/// Where `$HOLDPOINT_PACKAGES` is seen.
pub const PACKAGES_DIR: &str = "/holdpoint/packages";
/// Where `$HOLDPOINT_RULES` is seen.
pub const RULES_DIR: &str = "/holdpoint/rules";
/// Where the replay agent is seen.
pub const AGENT_PATH: &str = "/holdpoint/agent";
/// Where the tree of a consumer is seen whose tests are run, as an uncompressed tar archive.
pub const CONSUMER_ARCHIVE: &str = "/holdpoint/consumer.tar";
/// Where it is unpacked to: in the workspace, outside of the tree.
pub const CONSUMER_DIR: &str = "/workspace/consumer";
/// Where the socket of the filtering proxy is seen, in a step that may use it.
pub const PROXY_SOCKET: &str = "/holdpoint/proxy.sock";

/// Names a workspace of one sandbox.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct WorkspaceId(pub(crate) String);

impl WorkspaceId {
    /// The text form, for logs.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A file or folder of the host that a step sees read-only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadOnlyMount {
    /// Absolute path on the host.
    pub host: PathBuf,
    /// Absolute path in the sandbox; one of this module's constants.
    pub inside: String,
}

/// Bounds of one step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// CPUs, in thousandths.
    pub cpu_millis: u32,
    /// Memory in MiB; swap is not added.
    pub memory_mib: u64,
    /// Processes and threads.
    pub pids: u32,
    /// Wall time.
    pub wall: Duration,
    /// Bytes of output looked at; the rest is drained and dropped.
    pub log_bytes: usize,
    /// Size of `/tmp` in MiB.
    pub tmp_mib: u64,
    /// Disk in MiB that the workspace may take beyond its snapshot.
    pub disk_mib: u64,
}

impl From<&SandboxConfig> for Limits {
    fn from(config: &SandboxConfig) -> Self {
        Self {
            cpu_millis: config.cpu_millis,
            memory_mib: config.memory_mib,
            pids: config.pids,
            wall: Duration::from_secs(config.step_seconds),
            log_bytes: config.log_bytes,
            tmp_mib: config.tmp_mib,
            disk_mib: config.disk_mib,
        }
    }
}

/// One step to run.
#[derive(Debug, Clone)]
pub struct StepSpec {
    /// Step name: `prepare`, `build`, `test`, `serve`, `rescan:bandit` …
    pub name: String,
    /// Side, for labels.
    pub side: Side,
    /// Shell command, run as `sh -c` in [`REPO_DIR`].
    pub command: String,
    /// Environment, besides `HOME` and `PATH`.
    pub env: BTreeMap<String, String>,
    /// Socket of the filtering proxy on the host, bound to [`PROXY_SOCKET`]. No step has a network
    /// of its own; without this one reaches nothing.
    pub proxy: Option<PathBuf>,
    /// What it sees of the host, read-only.
    pub mounts: Vec<ReadOnlyMount>,
    /// Text for its standard input; without any, that is empty.
    pub stdin: Option<Vec<u8>>,
    /// Bytes of standard output to hand back as they are, instead of logging them; 0 to log them.
    pub capture_bytes: usize,
    /// Bounds.
    pub limits: Limits,
}

/// How a step went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepOutcome {
    /// How it ended.
    pub end: StepEnd,
    /// Wall time in milliseconds.
    pub millis: u64,
    /// Last lines of its output, clean and bounded.
    pub tail: String,
    /// Standard output up to `capture_bytes`.
    pub captured: Vec<u8>,
    /// Whether there was more standard output than that.
    pub capture_cut: bool,
}

/// Takes a step's output line by line, clean and bounded in length and number. Must not block.
pub type OnLine<'a> = &'a (dyn Fn(&str) + Send + Sync);

/// What a sweep took away.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    /// Containers.
    pub containers: usize,
    /// Volumes, or folders.
    pub volumes: usize,
}

/// Runs steps, isolated from the host, from the network and from each other.
#[async_trait]
pub trait Sandbox: Send + Sync {
    /// One line for people: which sandbox, how isolated.
    fn describe(&self) -> String;

    /// Names the programs that steps run with, as exactly as can be told: what others built is another baseline. It isn't
    /// part of [`Self::describe`], since that goes into decisions, which are the same on every machine.
    fn programs(&self) -> String {
        String::new()
    }

    /// How isolated its steps are.
    fn isolation(&self) -> IsolationReport;

    /// How people look inside a workspace that is there: a shell command, or a folder. `None`: they can't.
    fn look(&self, workspace: &WorkspaceId) -> Option<String> {
        let _ = workspace;
        None
    }

    /// Makes a workspace that holds the tree of an uncompressed tar archive under [`REPO_DIR`],
    /// owned by [`SANDBOX_UID`], all files dated now: build tools take old dates for "unchanged".
    ///
    /// # Errors
    /// When the archive escapes its folder or is too large, or the engine fails.
    async fn workspace(&self, tar: &[u8]) -> Result<WorkspaceId, SandboxError>;

    /// Turns a workspace into a snapshot: sealed, so that nothing writes to it any more. It stays,
    /// for other processes too, until [`Sandbox::drop_snapshot`].
    ///
    /// # Errors
    /// When this sandbox has no snapshots ([`SandboxError::NoSnapshots`]), or the engine fails.
    async fn seal(&self, workspace: WorkspaceId, key: &SnapshotKey) -> Result<SnapshotInfo, SandboxError> {
        let _ = (workspace, key);
        Err(SandboxError::NoSnapshots)
    }

    /// The snapshots that are there, complete and sealed.
    ///
    /// # Errors
    /// When the engine fails.
    async fn snapshots(&self) -> Result<Vec<SnapshotInfo>, SandboxError> {
        Ok(Vec::new())
    }

    /// A workspace that starts as a snapshot's copy-on-write copy with a change applied. Written files
    /// are dated now; what the snapshot itself holds stays as it is, dates included.
    ///
    /// # Errors
    /// When there is no such snapshot, the change can't be used, or the engine fails.
    async fn branch(&self, key: &SnapshotKey, change: &TreeChange) -> Result<WorkspaceId, SandboxError> {
        let _ = (key, change);
        Err(SandboxError::NoSnapshots)
    }

    /// Removes a snapshot. One that isn't there is no error; one that a workspace starts from stays.
    ///
    /// # Errors
    /// When it is in use, or the engine fails.
    async fn drop_snapshot(&self, key: &SnapshotKey) -> Result<(), SandboxError> {
        let _ = key;
        Ok(())
    }

    /// A hint that this step comes next, so that what it needs can be made ahead.
    fn expect(&self, workspace: &WorkspaceId, step: &StepSpec) {
        let _ = (workspace, step);
    }

    /// Runs one step. What goes wrong with the machine ends as
    /// [`StepEnd::Infrastructure`], so this can't fail.
    async fn run(&self, workspace: &WorkspaceId, step: &StepSpec, on_line: OnLine<'_>) -> StepOutcome;

    /// Reads a regular file, by its path relative to [`WORKSPACE_DIR`]. `None`: it isn't there, or
    /// is no regular file.
    ///
    /// # Errors
    /// When it is larger than `max_bytes`, the path leaves the workspace, or the engine fails.
    async fn read_file(
        &self,
        workspace: &WorkspaceId,
        path: &str,
        max_bytes: usize,
    ) -> Result<Option<Vec<u8>>, SandboxError>;

    /// Removes a workspace. Removing one that isn't there is no error.
    ///
    /// # Errors
    /// When the engine fails.
    async fn remove(&self, workspace: WorkspaceId) -> Result<(), SandboxError>;

    /// Removes what runs left behind whose process is gone. Never touches what a live process owns.
    ///
    /// # Errors
    /// When the engine fails.
    async fn sweep(&self) -> Result<Swept, SandboxError>;

    /// Removes what the sandbox holds on the machine for itself, beside workspaces and snapshots: for a process that ends
    /// without dropping it. Nothing can run in it afterwards.
    ///
    /// # Errors
    /// When something can't be removed; the next sweep takes it.
    async fn close(&self) -> Result<(), SandboxError> {
        Ok(())
    }
}
