//! Which image steps run in.

use bollard::Docker;
use bollard::models::{Mount, MountType};
use bollard::query_parameters::CreateImageOptionsBuilder;
use futures_util::StreamExt as _;
use holdpoint_schemas::Digest;
use holdpoint_schemas::estate::{PullPolicy, SandboxConfig};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::engine::{REQUEST, bounded, is_not_found};
use super::one_line;
use crate::error::SandboxError;
use crate::sandbox::ReadOnlyMount;

/// Made by `ci/host-view-image`: directories and links only, filled with the host's own programs.
pub(super) const HOST_VIEW: &str = "holdpoint/host-view:latest";
/// Where the host-view image expects the Rust toolchain.
const RUST_DIR: &str = "/opt/rust";
/// Search path where the host's programs are seen.
pub(in crate::sandbox) const HOST_PATH: &str = "/opt/rust/bin:/usr/local/bin:/usr/bin:/bin";
/// What is seen of the host in the host-view image, where it is there. No image label and no repo has a say in it.
const HOST_FOLDERS: [&str; 3] = ["/usr", "/etc/alternatives", "/etc/ssl/certs"];
/// A pull of a large image over a slow line.
const PULL: Duration = Duration::from_secs(600);
/// Longest image name: more than the 255 that registries accept plus a digest.
const MAX_NAME_BYTES: usize = 400;

/// The image, and what has to be bound into it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Image {
    /// Brings its own root file system. A name may mean another image tomorrow; the id doesn't.
    Named { name: String, id: String },
    /// Sees the host's programs, in the state that they are in.
    HostView {
        mounts: Vec<ReadOnlyMount>,
        programs: String,
    },
}

impl Image {
    /// The configured image; without one, the host-view image. One that is configured and can't be had is an error:
    /// steps would run with other programs than somebody chose.
    pub(super) async fn find(docker: &Docker, config: &SandboxConfig) -> Result<Self, SandboxError> {
        let wanted = match &config.image {
            None => "no image is configured".to_owned(),
            Some(name) if name == HOST_VIEW => format!("`{name}` is configured"),
            Some(name) => match Self::named(docker, name, config.pull).await? {
                Ok(id) => {
                    let name = name.clone();
                    return Ok(Self::Named { name, id });
                }
                Err(why) => return Err(SandboxError::Unavailable(why)),
            },
        };
        if id_of(docker, HOST_VIEW).await?.is_none() {
            return Err(SandboxError::NoImage {
                wanted,
                host_view: HOST_VIEW,
            });
        }
        let seen = tokio::task::spawn_blocking(|| {
            let mounts = host_mounts(host_rust_toolchain());
            let programs = host_programs(&mounts);
            Self::HostView { mounts, programs }
        });
        seen.await
            .map_err(|error| SandboxError::Unavailable(format!("the host's programs can't be looked at: {error}")))
    }

    /// The image's id, where the engine has it or could pull it; the inner error says why it hasn't.
    async fn named(docker: &Docker, name: &str, pull: PullPolicy) -> Result<Result<String, String>, SandboxError> {
        let shown = one_line(name);
        if !is_image_name(name) {
            return Ok(Err(format!("`{shown}` is no image name")));
        }
        if let Some(id) = id_of(docker, name).await? {
            return Ok(Ok(id));
        }
        if pull == PullPolicy::Never {
            return Ok(Err(format!(
                "the engine hasn't the image `{shown}` and may not pull it"
            )));
        }
        if let Err(reason) = pull_image(docker, name).await {
            return Ok(Err(format!("the image `{shown}` can't be pulled ({reason})")));
        }
        let id = id_of(docker, name).await?;
        Ok(id.ok_or_else(|| format!("the image `{shown}` was pulled and isn't there")))
    }

    pub(super) fn name(&self) -> &str {
        match self {
            Self::Named { name, .. } => name,
            Self::HostView { .. } => HOST_VIEW,
        }
    }

    pub(super) fn mounts(&self) -> &[ReadOnlyMount] {
        match self {
            Self::Named { .. } => &[],
            Self::HostView { mounts, .. } => mounts,
        }
    }

    /// What is bound into every container, as the engine takes it.
    pub(super) fn binds(&self) -> impl Iterator<Item = Mount> {
        self.mounts().iter().map(|mount| Mount {
            typ: Some(MountType::BIND),
            source: Some(mount.host.to_string_lossy().into_owned()),
            target: Some(mount.inside.clone()),
            read_only: Some(true),
            ..Mount::default()
        })
    }

    /// Search path; `None`: the image's own.
    pub(super) fn path(&self) -> Option<&'static str> {
        match self {
            Self::Named { .. } => None,
            Self::HostView { .. } => Some(HOST_PATH),
        }
    }

    /// Kept baselines are told apart by this: what another image built is another baseline.
    pub(super) fn programs(&self) -> String {
        match self {
            Self::Named { id, .. } => id.clone(),
            Self::HostView { programs, .. } => programs.clone(),
        }
    }

    pub(super) fn describe(&self) -> String {
        match self {
            Self::Named { name, .. } => format!("image {}", one_line(name)),
            Self::HostView { .. } => "host-view image".to_owned(),
        }
    }
}

/// The id of an image that the engine has.
async fn id_of(docker: &Docker, name: &str) -> Result<Option<String>, SandboxError> {
    bounded("look for an image", REQUEST, async {
        match docker.inspect_image(name).await {
            Ok(found) => Ok(Some(found.id.unwrap_or_default())),
            Err(error) if is_not_found(&error) => Ok(None),
            Err(error) => Err(error),
        }
    })
    .await
}

async fn pull_image(docker: &Docker, name: &str) -> Result<(), String> {
    // Without a tag the engine would pull all of them.
    let last = name.rsplit('/').next().unwrap_or(name);
    let tagged = if last.contains([':', '@']) {
        name.to_owned()
    } else {
        format!("{name}:latest")
    };
    let options = CreateImageOptionsBuilder::default().from_image(&tagged).build();
    let pulled = tokio::time::timeout(PULL, async {
        let mut progress = docker.create_image(Some(options), None, None);
        while let Some(message) = progress.next().await {
            message.map_err(|error| one_line(&error.to_string()))?;
        }
        Ok(())
    });
    pulled
        .await
        .unwrap_or_else(|_| Err(format!("not done within {} s", PULL.as_secs())))
}

/// Names go into request paths, so only the characters of image references are let through
/// (OCI distribution specification, "Pulling manifests").
fn is_image_name(name: &str) -> bool {
    name.len() <= MAX_NAME_BYTES
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && !name.contains("..")
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "._-/:@".contains(c))
}

pub(in crate::sandbox) fn host_mounts(toolchain: Option<PathBuf>) -> Vec<ReadOnlyMount> {
    let folders = HOST_FOLDERS.map(|folder| (PathBuf::from(folder), folder));
    // A toolchain of the distribution's packages is in /usr already.
    let toolchain = toolchain.filter(|folder| !folder.starts_with("/usr") || folder.starts_with("/usr/local"));
    folders
        .into_iter()
        .chain(toolchain.map(|folder| (folder, RUST_DIR)))
        .filter(|(host, _)| host.is_dir())
        .map(|(host, inside)| ReadOnlyMount {
            host,
            inside: inside.to_owned(),
        })
        .collect()
}

/// A name for the state of the host's programs: it changes when a package is installed, upgraded or removed, or another
/// toolchain is the active one. What is exchanged without a package manager, below the folders looked at, isn't seen.
pub(in crate::sandbox) fn host_programs(mounts: &[ReadOnlyMount]) -> String {
    const LOOKED_AT: [&str; 8] = [
        "/var/lib/dpkg/status",
        "/var/lib/rpm",
        "/usr/lib/sysimage/rpm",
        "/lib/apk/db/installed",
        "/usr/bin",
        "/usr/local/bin",
        "/usr/local/lib",
        "/etc/alternatives",
    ];
    let mounted = mounts.iter().map(|mount| mount.host.as_path());
    let state: Vec<String> = LOOKED_AT
        .into_iter()
        .map(Path::new)
        .chain(mounted)
        .map(|path| {
            let known = std::fs::metadata(path).and_then(|known| Ok((known.len(), known.modified()?)));
            format!("{} {known:?}", path.display())
        })
        .collect();
    let digest = Digest::of_parts(state.iter().map(String::as_bytes));
    let digits = digest.as_str().rsplit(':').next().unwrap_or_default();
    digits.chars().take(12).collect()
}

/// The folder of the Rust toolchain that is active outside of any project.
pub(in crate::sandbox) fn host_rust_toolchain() -> Option<PathBuf> {
    let output = std::process::Command::new("rustc")
        .args(["--print", "sysroot"])
        // A project's `rust-toolchain.toml` must not choose it, let alone have it installed.
        .current_dir("/")
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let folder = Path::new(text.trim());
    (output.status.success() && folder.is_absolute()).then(|| folder.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn image_names_that_would_change_the_request_are_refused() {
        for name in [
            "debian",
            "debian:12",
            "ghcr.io/a/b@sha256:00ff",
            "localhost:5000/x_y-z:1",
        ] {
            assert!(is_image_name(name), "{name}");
        }
        for name in ["", "../containers/json", "a?b", "a#b", "a b", "-x", "a%2f", "a\n", "é"] {
            assert!(!is_image_name(name), "{name:?}");
        }
    }

    #[test]
    fn a_toolchain_inside_usr_needs_no_bind_of_its_own() {
        assert!(
            host_mounts(Some("/usr".into()))
                .iter()
                .all(|mount| mount.inside != RUST_DIR)
        );
        assert!(
            host_mounts(Some("/etc".into()))
                .iter()
                .any(|mount| mount.inside == RUST_DIR)
        );
        assert!(
            host_mounts(Some("/not/there".into()))
                .iter()
                .all(|mount| mount.inside != RUST_DIR)
        );
    }

    #[test]
    fn another_state_of_the_hosts_programs_has_another_name() {
        let folder = tempfile::tempdir().unwrap();
        let mount = ReadOnlyMount {
            host: folder.path().to_owned(),
            inside: "/usr".to_owned(),
        };
        let name = || host_programs(std::slice::from_ref(&mount));
        let before = name();
        assert_eq!((before.len(), &before), (12, &name()));
        let touched = std::time::SystemTime::UNIX_EPOCH;
        std::fs::File::open(folder.path())
            .unwrap()
            .set_modified(touched)
            .unwrap();
        assert_ne!(before, name());
    }

    #[test]
    fn another_image_under_the_same_name_is_told_apart() {
        let of = |id: &str| Image::Named {
            name: "tools:1".to_owned(),
            id: format!("sha256:{id}"),
        };
        assert_eq!(of("0123456789abcdef").describe(), of("1123456789abcdef").describe());
        assert_ne!(of("0123456789abcdef").programs(), of("1123456789abcdef").programs());
    }
}
