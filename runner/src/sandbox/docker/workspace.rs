//! Workspaces: a store each, which holds the tree and what steps change, and a view of it, which is
//! all that a step sees. Containers that never run carry what is written into stores and read from views.

use bollard::models::{ContainerCreateBody, HostConfig, Mount, MountType, MountVolumeOptions, VolumeCreateRequest};
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, DownloadFromContainerOptionsBuilder, UploadToContainerOptionsBuilder,
};
use futures_util::StreamExt as _;
use std::collections::HashMap;
use std::io::Read as _;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, PoisonError};
use std::time::SystemTime;
use tokio::sync::OnceCell;

use super::ahead::Ahead;
use super::disk::{Disk, Disks};
use super::engine::{REQUEST, TRANSFER, bounded, is_not_found, remove_container, remove_volume};
use super::layer::{self, LAYER, SNAPSHOT_DIR, STORE_DIR, TREE, WORK};
use super::profile::workspace_mount;
use super::{DockerSandbox, one_line};
use crate::error::SandboxError;
use crate::sandbox::{WORKSPACE_DIR, WorkspaceId};

/// What a tar archive of one file has besides the file: its header, a long name, padding, the end.
const ARCHIVE_OVERHEAD: usize = 16 << 10;

/// What this process knows of one of its workspaces.
#[derive(Debug)]
pub(super) struct Workspace {
    /// Its name, and that of its view.
    pub id: WorkspaceId,
    /// Where the engine keeps its store.
    pub mountpoint: String,
    /// What bounds its layer, where the runner can do that.
    pub disk: Option<Disk>,
    /// The tree that it was made of, unless it starts from a snapshot.
    pub tree: Option<Tree>,
    /// Containers made ahead, and those being removed.
    pub ahead: Ahead,
    /// The container through which its files are read, made when it is first needed.
    reader: OnceCell<String>,
}

/// The tree of a workspace that may become a snapshot.
#[derive(Debug)]
pub(super) struct Tree {
    pub tar: Vec<u8>,
    pub paths: Vec<PathBuf>,
}

impl Workspace {
    pub fn store(&self) -> String {
        format!("{}-store", self.id.as_str())
    }

    pub fn writer(&self) -> String {
        format!("{}-writer", self.id.as_str())
    }
}

/// Where the layer of a store lies on the engine's host, as a lower or upper layer of an overlay.
pub(super) fn part(mountpoint: &str, part: &str) -> String {
    format!("{mountpoint}/{part}")
}

impl DockerSandbox {
    pub(super) async fn make_workspace(&self, tar: &[u8]) -> Result<WorkspaceId, SandboxError> {
        let filled = layer::of_tree(tar, SystemTime::now())?;
        let tree = Tree {
            tar: tar.to_vec(),
            paths: filled.paths,
        };
        let mut workspace = self.new_store(Some(tree), filled.archive.len(), None).await?;
        let made = async {
            self.upload(&workspace.writer(), filled.archive).await?;
            let lower = part(&workspace.mountpoint, TREE);
            self.make_view(&workspace, &[lower]).await
        };
        let made = made.await;
        self.keep_or_undo(&mut workspace, made).await?;
        Ok(self.register(workspace))
    }

    /// An empty store with its writer, bounded where the runner can do that.
    pub(super) async fn new_store(
        &self,
        tree: Option<Tree>,
        beside: usize,
        snapshot_store: Option<&str>,
    ) -> Result<Workspace, SandboxError> {
        let id = WorkspaceId(self.fresh_name());
        let volume = VolumeCreateRequest {
            name: Some(format!("{}-store", id.as_str())),
            labels: Some(self.labels()),
            ..VolumeCreateRequest::default()
        };
        let volume = bounded("create a volume", REQUEST, self.docker.create_volume(volume)).await?;
        let mut workspace = Workspace {
            id,
            mountpoint: volume.mountpoint,
            disk: None,
            tree,
            ahead: Ahead::default(),
            reader: OnceCell::new(),
        };
        let (disk, writer) = tokio::join!(
            self.disks.make(Path::new(&workspace.mountpoint), beside),
            self.make_writer(&workspace, snapshot_store)
        );
        let made = match disk {
            Ok(disk) => {
                workspace.disk = disk;
                writer
            }
            Err(error) => Err(error),
        };
        self.keep_or_undo(&mut workspace, made).await?;
        Ok(workspace)
    }

    pub(super) async fn keep_or_undo(
        &self,
        workspace: &mut Workspace,
        made: Result<(), SandboxError>,
    ) -> Result<(), SandboxError> {
        if made.is_err()
            && let Err(left) = self.take_away(workspace).await
        {
            tracing::warn!("a workspace was left behind for the next sweep: {left}");
        }
        made
    }

    pub(super) fn register(&self, workspace: Workspace) -> WorkspaceId {
        let id = workspace.id.clone();
        let mut workspaces = self.workspaces.lock().unwrap_or_else(PoisonError::into_inner);
        workspaces.insert(id.clone(), Arc::new(workspace));
        id
    }

    pub(super) fn known(&self, id: &WorkspaceId) -> Result<Arc<Workspace>, SandboxError> {
        let workspaces = self.workspaces.lock().unwrap_or_else(PoisonError::into_inner);
        let known = workspaces.get(id).cloned();
        known.ok_or_else(|| SandboxError::NoWorkspace(one_line(id.as_str())))
    }

    pub(super) fn forget(&self, id: &WorkspaceId) -> Option<Arc<Workspace>> {
        let mut workspaces = self.workspaces.lock().unwrap_or_else(PoisonError::into_inner);
        workspaces.remove(id)
    }

    /// A container that never runs: it only carries what goes into a store. It also refers to the snapshot's
    /// store, and with that keeps the engine from removing it.
    async fn make_writer(&self, workspace: &Workspace, snapshot_store: Option<&str>) -> Result<(), SandboxError> {
        let mut mounts = vec![volume_mount(&workspace.store(), STORE_DIR, false)];
        mounts.extend(snapshot_store.map(|store| volume_mount(store, SNAPSHOT_DIR, true)));
        self.make_carrier(&workspace.writer(), mounts).await
    }

    async fn make_carrier(&self, name: &str, mounts: Vec<Mount>) -> Result<(), SandboxError> {
        let carrier = ContainerCreateBody {
            image: Some(self.image.name().to_owned()),
            labels: Some(self.labels()),
            entrypoint: Some(vec!["/bin/true".to_owned()]),
            network_disabled: Some(true),
            host_config: Some(HostConfig {
                network_mode: Some("none".to_owned()),
                mounts: Some(mounts),
                ..HostConfig::default()
            }),
            ..ContainerCreateBody::default()
        };
        let options = CreateContainerOptionsBuilder::default().name(name).build();
        let create = self.docker.create_container(Some(options), carrier);
        bounded("create a container", REQUEST, create).await.map(|_| ())
    }

    /// Unpacked at the root, because the engine leaves an archive's own top folder as it is.
    pub(super) async fn upload(&self, container: &str, archive: Vec<u8>) -> Result<(), SandboxError> {
        let options = UploadToContainerOptionsBuilder::default().path("/").build();
        let body = bollard::body_full(archive.into());
        let upload = self.docker.upload_to_container(container, Some(options), body);
        bounded("unpack the source tree", TRANSFER, upload).await
    }

    /// What steps see: the store's layer over `lowers`, the topmost first. Where the engine has no
    /// layers, the store's own tree.
    pub(super) async fn make_view(&self, workspace: &Workspace, lowers: &[String]) -> Result<(), SandboxError> {
        let at = &workspace.mountpoint;
        // Programs may rename folders of a lower layer (else they see EXDEV), but for a layer that may become
        // a lower one itself: there, what a redirect leads to would be missing. Steps have no right to set
        // what it reads (`trusted.` attributes).
        let redirect = if workspace.tree.is_some() { "nofollow" } else { "on" };
        let options = format!(
            "lowerdir={},upperdir={},workdir={},nosuid,nodev,redirect_dir={redirect},index=off,metacopy=off",
            lowers.join(":"),
            part(at, LAYER),
            part(at, WORK)
        );
        let tree = part(at, TREE);
        let driver = if self.layers {
            [("type", "overlay"), ("device", "overlay"), ("o", options.as_str())]
        } else {
            [("type", "none"), ("device", tree.as_str()), ("o", "bind")]
        };
        let volume = VolumeCreateRequest {
            name: Some(workspace.id.as_str().to_owned()),
            labels: Some(self.labels()),
            driver_opts: Some(driver.map(|(name, value)| (name.to_owned(), value.to_owned())).into()),
            ..VolumeCreateRequest::default()
        };
        bounded("create a volume", REQUEST, self.docker.create_volume(volume))
            .await
            .map(|_| ())
    }

    pub(super) async fn read_workspace_file(
        &self,
        id: &WorkspaceId,
        path: &str,
        max_bytes: usize,
    ) -> Result<Option<Vec<u8>>, SandboxError> {
        let inside = Path::new(path)
            .components()
            .all(|part| matches!(part, Component::Normal(_)));
        if path.is_empty() || path.contains('\0') || !inside {
            return Err(SandboxError::BadPath(one_line(path)));
        }
        let workspace = self.known(id)?;
        self.read_view(&workspace, &format!("{WORKSPACE_DIR}/{path}"), max_bytes)
            .await
    }

    /// Reads a file as a step would see it.
    pub(super) async fn read_view(
        &self,
        workspace: &Workspace,
        path: &str,
        max_bytes: usize,
    ) -> Result<Option<Vec<u8>>, SandboxError> {
        let reader = workspace.reader.get_or_try_init(|| async {
            let name = format!("{}-reader", workspace.id.as_str());
            let view = vec![workspace_mount(&workspace.id)];
            self.make_carrier(&name, view).await.map(|()| name)
        });
        self.download(reader.await?, path, max_bytes).await
    }

    /// A regular file of a container; `None` when it isn't there, or is no regular file.
    pub(super) async fn download(
        &self,
        container: &str,
        path: &str,
        max_bytes: usize,
    ) -> Result<Option<Vec<u8>>, SandboxError> {
        let options = DownloadFromContainerOptionsBuilder::default().path(path).build();
        let download = async {
            let mut stream = Box::pin(self.docker.download_from_container(container, Some(options)));
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

    pub(super) async fn remove_workspace(&self, id: &WorkspaceId) -> Result<(), SandboxError> {
        match self.forget(id) {
            Some(workspace) => self.take_away(&workspace).await,
            None => Ok(()),
        }
    }

    /// Removes all of a workspace.
    pub(super) async fn take_away(&self, workspace: &Workspace) -> Result<(), SandboxError> {
        self.take_view_away(workspace).await?;
        self.remove_store(&workspace.store(), Path::new(&workspace.mountpoint))
            .await
    }

    /// Removes all of a workspace but its store.
    pub(super) async fn take_view_away(&self, workspace: &Workspace) -> Result<(), SandboxError> {
        let writer = workspace.writer();
        let reader = async {
            match workspace.reader.get() {
                Some(reader) => remove_container(&self.docker, reader).await,
                None => Ok(()),
            }
        };
        let ((), writer, reader) = tokio::join!(
            workspace.ahead.end(&self.docker),
            remove_container(&self.docker, &writer),
            reader
        );
        writer.and(reader)?;
        // The engine refuses to remove what a container still refers to.
        remove_volume(&self.docker, workspace.id.as_str()).await
    }

    /// Removes a store: its disk is taken down first.
    pub(super) async fn remove_store(&self, volume: &str, mountpoint: &Path) -> Result<(), SandboxError> {
        Disks::unmount(mountpoint).await?;
        remove_volume(&self.docker, volume).await
    }
}

/// A volume as a container of ours sees it.
pub(super) fn volume_mount(volume: &str, target: &str, read_only: bool) -> Mount {
    Mount {
        typ: Some(MountType::VOLUME),
        source: Some(volume.to_owned()),
        target: Some(target.to_owned()),
        read_only: Some(read_only),
        volume_options: Some(MountVolumeOptions {
            no_copy: Some(true),
            ..MountVolumeOptions::default()
        }),
        ..Mount::default()
    }
}

/// Workspaces of this process, by name.
pub(super) type Workspaces = HashMap<WorkspaceId, Arc<Workspace>>;

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
