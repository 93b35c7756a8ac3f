//! Which sandbox runs the steps of an estate.

use anyhow::{Context, Result};
use holdpoint_runner::sandbox::Sandbox;
use holdpoint_runner::sandbox::docker::DEFAULT_SOCKET;
use holdpoint_runner::sandbox::keeper::Keeper;
use holdpoint_runner::{
    DockerSandbox, KubernetesSandbox, KubernetesSettings, LocalSandbox, LocalSettings, SandboxError, SandboxSettings,
};
use holdpoint_schemas::estate::Backend;
use std::path::PathBuf;
use std::sync::Arc;

use super::bounds;
use super::runner::BASELINES;
use crate::failure::BadInput;
use crate::pipeline::estate::{Estate, read_text};

/// Where the local sandbox keeps workspaces when root runs it: its steps run as another user, who must be
/// able to pass through the folders above, which a home or a private temporary folder doesn't let them.
const SYSTEM_FOLDER: &str = "/var/lib/holdpoint/sandbox";

/// Connects to the sandbox that the estate names. Without a name: Docker where it answers, else Linux
/// namespaces; how isolated that is becomes a fact.
///
/// # Errors
/// When there is no such sandbox to be had; the message says what to do.
pub async fn connect(estate: &Estate, run: &str) -> Result<Arc<dyn Sandbox>> {
    bounds::check(&estate.config.sandbox)?;
    let packages = estate.config.sandbox.packages.as_deref();
    if let Some(folder) = packages.filter(|folder| !estate.root.join(folder).is_dir()) {
        tracing::warn!("`sandbox.packages`: there is no folder `{folder}`, so that `prepare` finds no packages there");
    }
    chosen(estate, run).await.map_err(|error| match error.downcast_ref() {
        // Somebody wrote what isn't there.
        Some(SandboxError::Unavailable(_) | SandboxError::NoRuntime { .. }) => BadInput {
            message: error.to_string(),
            help: None,
        }
        .into(),
        _ => error,
    })
}

/// Where the engine listens: `DOCKER_HOST`, as the `docker` command reads it, else its usual socket.
///
/// # Errors
/// When it names anything but a socket of this machine.
pub fn engine_socket() -> Result<PathBuf> {
    let Some(host) = std::env::var_os("DOCKER_HOST").filter(|host| !host.is_empty()) else {
        return Ok(PathBuf::from(DEFAULT_SOCKET));
    };
    let path = host.to_str().and_then(|host| host.strip_prefix("unix://"));
    match path.map(PathBuf::from).filter(|path| path.is_absolute()) {
        Some(path) => Ok(path),
        // It may hold a password.
        None => Err(BadInput::new(
            "`DOCKER_HOST` names no socket of this machine",
            "write it as `unix:///path/of/the/socket`, or unset it",
        )
        .into()),
    }
}

/// Says which settings the local sandbox has no use for.
fn warn_of_unused(estate: &Estate) {
    let config = &estate.config.sandbox;
    for (key, set) in [("image", config.image.is_some()), ("runtime", config.runtime.is_some())] {
        if set {
            tracing::warn!("`sandbox.{key}` is not used: steps run in Linux namespaces, with this machine's programs");
        }
    }
}

async fn chosen(estate: &Estate, run: &str) -> Result<Arc<dyn Sandbox>> {
    match estate.config.sandbox.backend {
        Backend::Docker => docker(estate, run, engine_socket()?).await.map_err(Into::into),
        Backend::Local => local(estate, run).await.map_err(Into::into),
        Backend::Kubernetes => kubernetes(estate, run).await,
        Backend::Auto => match docker(estate, run, engine_socket()?).await {
            Err(SandboxError::NoEngine { socket, reason }) => {
                tracing::info!("no engine answers ({reason}); steps run in Linux namespaces");
                local(estate, run)
                    .await
                    .context(SandboxError::NoEngine { socket, reason }.to_string())
            }
            other => other.map_err(Into::into),
        },
    }
}

async fn docker(estate: &Estate, run: &str, socket: PathBuf) -> Result<Arc<dyn Sandbox>, SandboxError> {
    let mut settings = SandboxSettings::new(estate.config.sandbox.clone(), run);
    settings.socket = socket;
    settings.keeper = keeper(estate);
    Ok(Arc::new(DockerSandbox::connect(settings).await?))
}

async fn local(estate: &Estate, run: &str) -> Result<Arc<dyn Sandbox>, SandboxError> {
    warn_of_unused(estate);
    let mut settings = LocalSettings::new(estate.config.sandbox.clone(), local_folder(), run);
    settings.keeper = keeper(estate);
    Ok(Arc::new(LocalSandbox::connect(settings).await?))
}

/// The folder of the records of kept baselines: with it their snapshots go.
fn keeper(estate: &Estate) -> Option<Keeper> {
    let folder = estate.state().join(BASELINES);
    Keeper::of(&folder)
        .inspect_err(|error| tracing::warn!("nobody is named as the keeper of baselines: {error}"))
        .ok()
}

async fn kubernetes(estate: &Estate, run: &str) -> Result<Arc<dyn Sandbox>> {
    let config = estate.config.sandbox.clone();
    let mut settings = KubernetesSettings::new(config.clone(), run);
    settings.conformance = match &config.kubernetes.conformance {
        Some(path) => Some(read_text(&estate.root, path)?),
        None => None,
    };
    Ok(Arc::new(KubernetesSandbox::connect(settings).await?))
}

/// Folder of the local sandbox's workspaces and snapshots.
pub fn local_folder() -> PathBuf {
    if rustix::process::geteuid().is_root() {
        return PathBuf::from(SYSTEM_FOLDER);
    }
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    cache
        .filter(|folder| folder.is_absolute())
        .or_else(|| Some(home?.join(".cache")))
        .unwrap_or_else(std::env::temp_dir)
        .join("holdpoint/sandbox")
}
