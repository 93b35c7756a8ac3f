//! What can go wrong around a check. What a check *finds* is never an error.

use std::path::PathBuf;
use thiserror::Error;

/// The sandbox can't be had or can't do what was asked.
#[derive(Debug, Error)]
pub enum SandboxError {
    /// No engine answers.
    #[error("no container engine answers at `{socket}`: {reason}; run ci/setup, or start Docker")]
    NoEngine {
        /// Socket that was tried.
        socket: PathBuf,
        /// What the connection said.
        reason: String,
    },
    /// Neither the configured image nor the host-view image is there.
    #[error("{wanted}, and the image `{host_view}` isn't there either; run ci/setup to make it")]
    NoImage {
        /// What became of the configured image.
        wanted: String,
        /// Name of the host-view image.
        host_view: &'static str,
    },
    /// No cluster answers.
    #[error("no Kubernetes cluster answers: {reason}")]
    NoCluster {
        /// What the configuration or the connection said.
        reason: String,
    },
    /// A cluster needs to be told an image.
    #[error("the kubernetes sandbox needs an image: set `sandbox.image` in the estate")]
    NoClusterImage,
    /// The configured image can't be had.
    #[error("{0}; correct `sandbox.image`, pull it, or make one with `holdpoint image bootstrap`")]
    Unavailable(String),
    /// The engine refused or failed a request.
    #[error("the container engine could not {what}: {reason}")]
    Engine {
        /// What was asked, as in "create a volume".
        what: &'static str,
        /// What it said.
        reason: String,
    },
    /// The engine went away instead of answering.
    #[error("the container engine went away when asked to {what}: {reason}")]
    EngineLost {
        /// What was asked.
        what: &'static str,
        /// What the connection said.
        reason: String,
    },
    /// The engine didn't answer a request in time.
    #[error("the container engine did not {what} within {seconds} s")]
    EngineTimeOut {
        /// What was asked.
        what: &'static str,
        /// The limit.
        seconds: u64,
    },
    /// Bubblewrap isn't there, or can't make namespaces.
    #[error(
        "bubblewrap (`bwrap`) does not work here: {0}; install the package `bubblewrap` (ci/setup does), or start Docker"
    )]
    NoBubblewrap(String),
    /// The folder of the local sandbox can't be used.
    #[error("the sandbox's folder `{root}` can't be used: {reason}")]
    BadRoot {
        /// The folder.
        root: PathBuf,
        /// Why not.
        reason: String,
    },
    /// The machine refused something to the local sandbox.
    #[error("the local sandbox could not {what}: {reason}")]
    Local {
        /// What was tried, as in "make a folder".
        what: &'static str,
        /// What the system said.
        reason: String,
    },
    /// The source tree can't go into a sandbox.
    #[error("the source archive can't be used: {0}")]
    Tree(#[from] crate::sandbox::tree::TreeError),
    /// A file of the workspace is larger than the reader takes.
    #[error("`{path}` is larger than {max_bytes} bytes")]
    FileTooLarge {
        /// Path in the workspace.
        path: String,
        /// The limit.
        max_bytes: usize,
    },
    /// A path that must stay inside the workspace doesn't.
    #[error("`{0}` is not a path inside the workspace")]
    BadPath(String),
    /// The workspace was removed before, or belongs to another sandbox.
    #[error("workspace `{0}` isn't there")]
    NoWorkspace(String),
    /// This sandbox keeps no snapshots.
    #[error("this sandbox keeps no snapshots")]
    NoSnapshots,
    /// The snapshot isn't there.
    #[error("the snapshot `{0}` isn't there")]
    NoSnapshot(String),
    /// Somebody has stopped the run, with a signal for example.
    #[error("the run was stopped")]
    Stopped,
    /// What starts from a snapshot keeps it.
    #[error("`{0}` is in use")]
    InUse(String),
    /// The disk of a workspace can't be made or taken down.
    #[error("the disk of a workspace can't be used: {0}")]
    Disk(String),
    /// The engine doesn't know the configured runtime.
    #[error("the container engine has no runtime `{name}`; it has {known}")]
    NoRuntime {
        /// Name that is configured.
        name: String,
        /// Those that it has.
        known: String,
    },
    /// The owner of the containers can't be told from other processes.
    #[error("can't read the identity of this process from /proc: {0}")]
    NoOwner(std::io::Error),
}

/// A validation could not be carried out.
#[derive(Debug, Error)]
pub enum RunnerError {
    /// The sandbox failed before any step ran.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    /// No random number for the nonce of the contract check.
    #[error("no random numbers from /dev/urandom: {0}")]
    NoRandomness(std::io::Error),
}
