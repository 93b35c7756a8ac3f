//! The Docker engine as a sandbox, over its unix socket.

mod container;
mod image;
mod profile;
mod seccomp;
mod volume;

use async_trait::async_trait;
use bollard::query_parameters::{
    ListContainersOptionsBuilder, ListVolumesOptionsBuilder, RemoveContainerOptionsBuilder, RemoveVolumeOptionsBuilder,
};
use bollard::{API_DEFAULT_VERSION, Docker};
use holdpoint_schemas::estate::SandboxConfig;
use holdpoint_schemas::evidence::Isolation;
use std::collections::HashMap;
use std::future::Future;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use self::image::Image;
use self::profile::Rules;
use super::control::{Controls, IsolationReport};
use super::owner::{self, Owner};
use super::{OnLine, SANDBOX_UID, Sandbox, StepOutcome, StepSpec, Swept, WorkspaceId};
use crate::error::SandboxError;

/// Where Docker listens unless told otherwise.
pub const DEFAULT_SOCKET: &str = "/var/run/docker.sock";
/// Most requests to the engine take milliseconds; a busy machine needs seconds.
const REQUEST: Duration = Duration::from_secs(60);
/// Of the connection. Each request has its own, shorter bound, except uploads and pulls.
const CONNECTION_SECONDS: u64 = 900;

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
    run: String,
    version: String,
    rules: Rules,
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
        let image = Image::find(&docker, &settings.config).await?;
        Ok(Self {
            docker,
            image,
            owner: Owner::this_process().map_err(SandboxError::NoOwner)?,
            run: settings.run,
            version: version.unwrap_or_else(|| "of unknown version".to_owned()),
            rules: Rules {
                controls: settings.controls,
                cgroup_parent: settings.cgroup_parent,
            },
        })
    }

    /// A name that no other container or volume has: of this process, and counted over all its sandboxes.
    fn fresh_name(&self) -> String {
        static COUNTER: AtomicU64 = AtomicU64::new(0);
        let count = COUNTER.fetch_add(1, Ordering::Relaxed);
        format!("holdpoint-{}-{count}", self.owner.unique())
    }

    fn labels(&self) -> HashMap<String, String> {
        self.owner.labels(&self.run)
    }
}

/// Runs one request to the engine within a bound of its own.
async fn bounded<T>(
    what: &'static str,
    limit: Duration,
    request: impl Future<Output = Result<T, bollard::errors::Error>>,
) -> Result<T, SandboxError> {
    match tokio::time::timeout(limit, request).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => Err(SandboxError::Engine {
            what,
            reason: one_line(&error.to_string()),
        }),
        Err(_) => Err(SandboxError::EngineTimeOut {
            what,
            seconds: limit.as_secs(),
        }),
    }
}

fn one_line(text: &str) -> String {
    crate::text::one_line(text)
}

/// Whether the engine says that the thing isn't there.
fn is_not_found(error: &bollard::errors::Error) -> bool {
    matches!(
        error,
        bollard::errors::Error::DockerResponseServerError { status_code: 404, .. }
    )
}

/// Removes a container, running or not. One that isn't there is no error.
async fn remove_container(docker: &Docker, name: &str) -> Result<(), SandboxError> {
    let options = RemoveContainerOptionsBuilder::default().force(true).v(true).build();
    bounded("remove a container", REQUEST, async {
        match docker.remove_container(name, Some(options)).await {
            // 409: somebody else is removing it already.
            Err(bollard::errors::Error::DockerResponseServerError {
                status_code: 404 | 409, ..
            }) => Ok(()),
            other => other,
        }
    })
    .await
}

/// Removes a volume. One that isn't there is no error.
async fn remove_volume(docker: &Docker, name: &str) -> Result<(), SandboxError> {
    let options = RemoveVolumeOptionsBuilder::default().force(true).build();
    bounded("remove a volume", REQUEST, async {
        match docker.remove_volume(name, Some(options)).await {
            Err(error) if is_not_found(&error) => Ok(()),
            other => other,
        }
    })
    .await
}

#[async_trait]
impl Sandbox for DockerSandbox {
    fn describe(&self) -> String {
        format!(
            "docker {}, {}, no network, uid {SANDBOX_UID}",
            self.version,
            self.image.describe()
        )
    }

    fn isolation(&self) -> IsolationReport {
        IsolationReport {
            kind: Isolation::Container,
            engine: format!("docker {}", self.version),
            controls: self.rules.controls.clone(),
        }
    }

    async fn workspace(&self, tar: &[u8]) -> Result<WorkspaceId, SandboxError> {
        self.make_workspace(tar).await
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
        let filters = HashMap::from([("label", vec![owner::LABEL])]);
        let mut swept = Swept::default();
        let options = ListContainersOptionsBuilder::default()
            .all(true)
            .filters(&filters)
            .build();
        let containers = bounded("list containers", REQUEST, self.docker.list_containers(Some(options))).await?;
        for container in containers {
            let labels = container.labels.unwrap_or_default();
            if let Some(id) = container.id.filter(|_| owner::is_gone(&labels, &self.owner)) {
                match remove_container(&self.docker, &id).await {
                    Ok(()) => swept.containers += 1,
                    Err(error) => tracing::warn!("while sweeping: {error}"),
                }
            }
        }
        let options = ListVolumesOptionsBuilder::default().filters(&filters).build();
        let volumes = bounded("list volumes", REQUEST, self.docker.list_volumes(Some(options))).await?;
        for volume in volumes.volumes.unwrap_or_default() {
            if owner::is_gone(&volume.labels, &self.owner) {
                match remove_volume(&self.docker, &volume.name).await {
                    Ok(()) => swept.volumes += 1,
                    Err(error) => tracing::warn!("while sweeping: {error}"),
                }
            }
        }
        Ok(swept)
    }
}
