//! Workspaces: a volume each, and a container that never runs, through which the engine's archive
//! interface writes and reads the volume.

use bollard::models::{ContainerCreateBody, HostConfig, VolumeCreateRequest};
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, DownloadFromContainerOptionsBuilder, UploadToContainerOptionsBuilder,
};
use futures_util::StreamExt as _;
use std::io::Read as _;
use std::path::{Component, Path};
use std::time::{Duration, SystemTime};

use super::profile::workspace_mount;
use super::{DockerSandbox, REQUEST, bounded, is_not_found, one_line, remove_container, remove_volume};
use crate::error::SandboxError;
use crate::sandbox::{WORKSPACE_DIR, WorkspaceId, tree};

/// A tree of gigabytes onto a slow disk.
const TRANSFER: Duration = Duration::from_secs(300);
/// What a tar archive of one file has besides the file: its header, a long name, padding, the end.
const ARCHIVE_OVERHEAD: usize = 16 << 10;

impl DockerSandbox {
    pub(super) async fn make_workspace(&self, tar: &[u8]) -> Result<WorkspaceId, SandboxError> {
        let archive = tree::repack(tar, SystemTime::now())?;
        let workspace = WorkspaceId(self.fresh_name());
        match self.fill_workspace(&workspace, archive).await {
            Ok(()) => Ok(workspace),
            Err(error) => {
                if let Err(left) = self.remove_workspace(&workspace).await {
                    tracing::warn!("a workspace was left behind for the next sweep: {left}");
                }
                Err(error)
            }
        }
    }

    async fn fill_workspace(&self, workspace: &WorkspaceId, archive: Vec<u8>) -> Result<(), SandboxError> {
        let volume = VolumeCreateRequest {
            name: Some(workspace.as_str().to_owned()),
            labels: Some(self.labels()),
            ..VolumeCreateRequest::default()
        };
        bounded("create a volume", REQUEST, self.docker.create_volume(volume)).await?;
        let holder = ContainerCreateBody {
            image: Some(self.image.name().to_owned()),
            labels: Some(self.labels()),
            entrypoint: Some(vec!["/bin/true".to_owned()]),
            network_disabled: Some(true),
            host_config: Some(HostConfig {
                network_mode: Some("none".to_owned()),
                mounts: Some(vec![workspace_mount(workspace)]),
                ..HostConfig::default()
            }),
            ..ContainerCreateBody::default()
        };
        let name = holder_name(workspace);
        let options = CreateContainerOptionsBuilder::default().name(&name).build();
        bounded(
            "create a container",
            REQUEST,
            self.docker.create_container(Some(options), holder),
        )
        .await?;
        // Unpacked at the root, because the engine leaves an archive's own top folder as it is: the
        // volume itself must come to belong to the sandbox's user too.
        let options = UploadToContainerOptionsBuilder::default().path("/").build();
        let body = bollard::body_full(archive.into());
        let upload = self.docker.upload_to_container(&name, Some(options), body);
        bounded("unpack the source tree", TRANSFER, upload).await
    }

    pub(super) async fn read_workspace_file(
        &self,
        workspace: &WorkspaceId,
        path: &str,
        max_bytes: usize,
    ) -> Result<Option<Vec<u8>>, SandboxError> {
        let inside = Path::new(path)
            .components()
            .all(|part| matches!(part, Component::Normal(_)));
        if path.is_empty() || path.contains('\0') || !inside {
            return Err(SandboxError::BadPath(one_line(path)));
        }
        let options = DownloadFromContainerOptionsBuilder::default()
            .path(&format!("{WORKSPACE_DIR}/{path}"))
            .build();
        let download = async {
            let mut stream = Box::pin(
                self.docker
                    .download_from_container(&holder_name(workspace), Some(options)),
            );
            let mut archive = Vec::new();
            while let Some(chunk) = stream.next().await {
                archive.extend_from_slice(&chunk?);
                if archive.len() > max_bytes.saturating_add(ARCHIVE_OVERHEAD) {
                    break;
                }
            }
            Ok(archive)
        };
        let archive = bounded("read a file of the workspace", TRANSFER, async {
            match download.await {
                Ok(archive) => Ok(Some(archive)),
                Err(error) if is_not_found(&error) => Ok(None),
                Err(error) => Err(error),
            }
        })
        .await?;
        match archive {
            Some(archive) => single_file(&archive, path, max_bytes),
            None => Ok(None),
        }
    }

    pub(super) async fn remove_workspace(&self, workspace: &WorkspaceId) -> Result<(), SandboxError> {
        remove_container(&self.docker, &holder_name(workspace)).await?;
        remove_volume(&self.docker, workspace.as_str()).await
    }
}

fn holder_name(workspace: &WorkspaceId) -> String {
    format!("{}-holder", workspace.as_str())
}

/// The content of an archive's first entry, if that is a regular file. The archive may be cut off.
fn single_file(archive: &[u8], path: &str, max_bytes: usize) -> Result<Option<Vec<u8>>, SandboxError> {
    let malformed = |error: std::io::Error| SandboxError::Engine {
        what: "read a file of the workspace",
        reason: format!("its archive is malformed: {error}"),
    };
    let mut archive = tar::Archive::new(archive);
    let Some(entry) = archive.entries().map_err(malformed)?.next() else {
        return Ok(None);
    };
    let mut entry = entry.map_err(malformed)?;
    if !entry.header().entry_type().is_file() {
        return Ok(None);
    }
    if entry.size() > max_bytes as u64 {
        return Err(SandboxError::FileTooLarge {
            path: one_line(path),
            max_bytes,
        });
    }
    let mut content = Vec::new();
    entry.read_to_end(&mut content).map_err(malformed)?;
    if (content.len() as u64) < entry.size() {
        return Err(malformed(std::io::ErrorKind::UnexpectedEof.into()));
    }
    Ok(Some(content))
}
