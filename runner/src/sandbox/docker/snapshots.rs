//! Snapshots: a sealed store, and a marker. The marker is a volume that is made last, named by the
//! snapshot's key: the engine makes one volume of a name, so of two processes that seal the same
//! baseline one wins, and the other one's store is thrown away. A store without a marker is no snapshot.
//!
//! What starts from a snapshot has a container that refers to the store, so the engine itself
//! refuses to remove one that is in use.

use bollard::models::{Volume as EngineVolume, VolumeCreateRequest};
use bollard::query_parameters::{ListContainersOptionsBuilder, ListVolumesOptionsBuilder};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::DockerSandbox;
use super::engine::{REQUEST, bounded, is_not_found, remove_container, remove_volume};
use super::layer::{self, LAYER, PATH_LINES, PATHS, SNAPSHOT_DIR, STORE_DIR, TREE};
use super::workspace::{Workspace, part, volume_mount};
use crate::error::SandboxError;
use crate::sandbox::keeper::{self, Keeper};
use crate::sandbox::snapshot::{SnapshotInfo, SnapshotKey, TreeChange};
use crate::sandbox::{WorkspaceId, owner};

/// Marks a marker, and holds its key.
pub(super) const LABEL_SNAPSHOT: &str = "holdpoint.snapshot";
/// Names the volume with the snapshot's content.
const LABEL_STORE: &str = "holdpoint.snapshot-store";
const LABEL_BYTES: &str = "holdpoint.snapshot-bytes";
/// Looking through the tree that a build left.
const INSPECTION: Duration = Duration::from_secs(300);
/// Line numbers and a size.
const MAX_LISTING: usize = 16 << 20;
/// Paths of a tree: a million of them.
const MAX_PATHS: usize = 256 << 20;

/// A marker, as the engine lists it.
#[derive(Debug)]
pub(super) struct Marker {
    pub name: String,
    pub store: String,
    info: SnapshotInfo,
    labels: HashMap<String, String>,
}

impl Marker {
    pub fn read(volume: &EngineVolume) -> Option<Self> {
        let label = |name| volume.labels.get(name);
        Some(Self {
            name: volume.name.clone(),
            store: label(LABEL_STORE)?.clone(),
            info: SnapshotInfo {
                key: SnapshotKey::new(label(LABEL_SNAPSHOT)?.as_str()).ok()?,
                bytes: label(LABEL_BYTES)?.parse().ok()?,
            },
            labels: volume.labels.clone(),
        })
    }

    /// Whether those for whom it is kept are gone.
    pub fn is_abandoned(&self) -> bool {
        keeper::is_gone(&self.labels)
    }
}

impl DockerSandbox {
    pub(super) async fn seal_workspace(
        &self,
        id: WorkspaceId,
        key: &SnapshotKey,
    ) -> Result<SnapshotInfo, SandboxError> {
        if !self.layers {
            return Err(SandboxError::NoSnapshots);
        }
        let workspace = self.known(&id)?;
        if workspace.tree.is_none() {
            // A snapshot of a snapshot would need a chain of layers, and no check wants one.
            return Err(SandboxError::NoSnapshots);
        }
        self.forget(&id);
        match self.seal_store(&workspace, key).await {
            Ok(info) => Ok(info),
            Err(error) => {
                if let Err(left) = self.take_away(&workspace).await {
                    tracing::warn!("a workspace was left behind for the next sweep: {left}");
                }
                Err(error)
            }
        }
    }

    async fn seal_store(&self, workspace: &Workspace, key: &SnapshotKey) -> Result<SnapshotInfo, SandboxError> {
        let tree = workspace.tree.as_ref().ok_or(SandboxError::NoSnapshots)?;
        // Nothing may run in it or have it mounted any more.
        workspace.ahead.end(&self.docker).await;
        let listed = self.inspect_layer(workspace).await?;
        let changed = layer::changed_paths(&tree.paths, &listed);
        if !changed.is_empty() {
            let again = layer::again(&tree.tar, &changed, SystemTime::now())?;
            self.upload(&workspace.writer(), again).await?;
        }
        self.take_view_away(workspace).await?;
        if let Some(disk) = &workspace.disk {
            self.disks.seal(disk).await?;
        }
        let bytes = size_of(&listed);
        let labels = self.marker_labels(key, &workspace.store(), bytes);
        let published = self.publish(key, &workspace.store(), labels).await?;
        if published.store != workspace.store() {
            self.remove_store(&workspace.store(), Path::new(&workspace.mountpoint))
                .await?;
        }
        Ok(published.info)
    }

    /// Which files of the tree the build changed, by line number, and the size of all. A step of
    /// ours, with nothing of the repo's run in it.
    async fn inspect_layer(&self, workspace: &Workspace) -> Result<Vec<u8>, SandboxError> {
        // In the layer there is only what differs from the tree, a deleted file included (as a device).
        // A folder of the tree that isn't one any more stands for all in it.
        let script = format!(
            "set -u; n=0; cd {STORE_DIR}/{LAYER} && [ ! -L repo ] && if [ -d repo ]; then cd repo; \
             while IFS= read -r path; do n=$((n+1)); \
             if [ -L \"./$path\" ]; then echo $n; elif [ -e \"./$path\" ] && [ ! -d \"./$path\" ]; then echo $n; fi; \
             done < {STORE_DIR}/{PATH_LINES}; fi; set -- $(du -sk {STORE_DIR}) && echo \"size $1\""
        );
        let body = self.own_step(script, vec![volume_mount(&workspace.store(), STORE_DIR, true)]);
        let (end, listed) = self.run_own(body, INSPECTION, MAX_LISTING).await;
        if end.is_success() && listed.ends_with(b"\n") {
            Ok(listed)
        } else {
            Err(SandboxError::Engine {
                what: "look through what a build changed",
                reason: crate::verdict::describe_end(&end),
            })
        }
    }

    fn marker_labels(&self, key: &SnapshotKey, store: &str, bytes: u64) -> HashMap<String, String> {
        let own = [
            (owner::LABEL, "1".to_owned()),
            (owner::LABEL_BOOT, self.owner.boot().to_owned()),
            (LABEL_SNAPSHOT, key.to_string()),
            (LABEL_STORE, store.to_owned()),
            (LABEL_BYTES, bytes.to_string()),
        ];
        let mut labels = self.keeper.as_ref().map(Keeper::labels).unwrap_or_default();
        labels.extend(own.map(|(name, value)| (name.to_owned(), value)));
        labels
    }

    /// Makes the marker, or finds the one that another process made first.
    async fn publish(
        &self,
        key: &SnapshotKey,
        store: &str,
        labels: HashMap<String, String>,
    ) -> Result<Marker, SandboxError> {
        for _ in 0..2 {
            let marker = VolumeCreateRequest {
                name: Some(marker_name(key)),
                labels: Some(labels.clone()),
                ..VolumeCreateRequest::default()
            };
            let made = bounded("create a volume", REQUEST, self.docker.create_volume(marker)).await?;
            match Marker::read(&made) {
                Some(marker) if marker.store == store || self.is_whole(&marker).await? => return Ok(marker),
                // The remains of one whose store is gone.
                _ => remove_volume(&self.docker, &made.name).await?,
            }
        }
        Err(SandboxError::NoSnapshot(key.to_string()))
    }

    /// Whether a marker's snapshot can be used: made since the machine was started (nothing made sure that
    /// an earlier one reached the disk), and its store is there.
    async fn is_whole(&self, marker: &Marker) -> Result<bool, SandboxError> {
        Ok(self.is_current(marker) && self.volume(&marker.store).await?.is_some_and(|store| is_ours(&store)))
    }

    pub(super) fn is_current(&self, marker: &Marker) -> bool {
        self.owner.same_boot(&marker.labels)
    }

    async fn volume(&self, name: &str) -> Result<Option<EngineVolume>, SandboxError> {
        bounded("look for a volume", REQUEST, async {
            match self.docker.inspect_volume(name).await {
                Ok(volume) => Ok(Some(volume)),
                Err(error) if is_not_found(&error) => Ok(None),
                Err(error) => Err(error),
            }
        })
        .await
    }

    async fn marker(&self, key: &SnapshotKey) -> Result<Option<Marker>, SandboxError> {
        Ok(self.volume(&marker_name(key)).await?.as_ref().and_then(Marker::read))
    }

    pub(super) async fn list_snapshots(&self) -> Result<Vec<SnapshotInfo>, SandboxError> {
        let volumes = self.volumes().await?;
        let there = |store: &str| volumes.iter().any(|volume| volume.name == store);
        let markers = volumes.iter().filter_map(Marker::read);
        let whole = markers.filter(|marker| self.is_current(marker) && there(&marker.store));
        Ok(whole.map(|marker| marker.info).collect())
    }

    /// All volumes of Holdpoint's, of any process.
    pub(super) async fn volumes(&self) -> Result<Vec<EngineVolume>, SandboxError> {
        let filters = HashMap::from([("label", vec![owner::LABEL])]);
        let options = ListVolumesOptionsBuilder::default().filters(&filters).build();
        let listed = bounded("list volumes", REQUEST, self.docker.list_volumes(Some(options))).await?;
        Ok(listed.volumes.unwrap_or_default())
    }

    pub(super) async fn branch_of(&self, key: &SnapshotKey, change: &TreeChange) -> Result<WorkspaceId, SandboxError> {
        if !self.layers {
            return Err(SandboxError::NoSnapshots);
        }
        let missing = || SandboxError::NoSnapshot(key.to_string());
        let marker = self.marker(key).await?.ok_or_else(missing)?;
        if !self.is_whole(&marker).await? {
            return Err(missing());
        }
        let mut workspace = self.new_store(None, change.written.len(), Some(&marker.store)).await?;
        let made = self.fill_branch(&workspace, &marker.store, key, change).await;
        self.keep_or_undo(&mut workspace, made).await?;
        Ok(self.register(workspace))
    }

    async fn fill_branch(
        &self,
        workspace: &Workspace,
        store: &str,
        key: &SnapshotKey,
        change: &TreeChange,
    ) -> Result<(), SandboxError> {
        // With its writer the snapshot is in use. It may have gone just before; the engine then has made an
        // empty volume of that name.
        let missing = || SandboxError::NoSnapshot(key.to_string());
        let (marker, snapshot) = tokio::try_join!(self.marker(key), self.volume(store))?;
        let marker = marker.filter(|marker| marker.store == store);
        let snapshot = snapshot.filter(is_ours);
        let (Some(_), Some(snapshot)) = (marker, snapshot) else {
            remove_container(&self.docker, &workspace.writer()).await?;
            if self.volume(store).await?.is_some_and(|made_up| !is_ours(&made_up)) {
                remove_volume(&self.docker, store).await?;
            }
            return Err(missing());
        };
        let base = if change.removed.is_empty() {
            Vec::new()
        } else {
            let listed = self
                .download(&workspace.writer(), &format!("{SNAPSHOT_DIR}/{PATHS}"), MAX_PATHS)
                .await?;
            read_paths(&listed.ok_or_else(missing)?)
        };
        let archive = layer::of_change(change, &base, SystemTime::now())?;
        let lowers = [TREE, LAYER].map(|name| part(&snapshot.mountpoint, name));
        let writer = workspace.writer();
        // The view is only described here; it is mounted with the first step.
        tokio::try_join!(self.upload(&writer, archive), self.make_view(workspace, &lowers)).map(drop)
    }

    pub(super) async fn drop_of(&self, key: &SnapshotKey) -> Result<(), SandboxError> {
        let Some(marker) = self.marker(key).await? else {
            return Ok(());
        };
        self.remove_snapshot(&marker).await
    }

    /// Marker first, so that nothing new starts from it; what began to just before is seen by the second
    /// look (a branch looks for the marker again once it counts as a user).
    pub(super) async fn remove_snapshot(&self, marker: &Marker) -> Result<(), SandboxError> {
        let in_use = || SandboxError::InUse(marker.info.key.to_string());
        if self.has_users(&marker.store).await? {
            return Err(in_use());
        }
        remove_volume(&self.docker, &marker.name).await?;
        if self.has_users(&marker.store).await? {
            self.publish(&marker.info.key, &marker.store, marker.labels.clone())
                .await?;
            return Err(in_use());
        }
        match self.volume(&marker.store).await? {
            Some(store) => self.remove_store(&store.name, Path::new(&store.mountpoint)).await,
            None => Ok(()),
        }
    }

    async fn has_users(&self, store: &str) -> Result<bool, SandboxError> {
        let filters = HashMap::from([("volume", vec![store])]);
        let options = ListContainersOptionsBuilder::default()
            .all(true)
            .filters(&filters)
            .build();
        let users = bounded("list containers", REQUEST, self.docker.list_containers(Some(options))).await?;
        Ok(!users.is_empty())
    }
}

fn marker_name(key: &SnapshotKey) -> String {
    format!("holdpoint-snapshot-{key}")
}

/// A volume that the engine made up because a container refers to it has no labels.
fn is_ours(volume: &EngineVolume) -> bool {
    volume.labels.contains_key(owner::LABEL)
}

fn read_paths(listed: &[u8]) -> Vec<PathBuf> {
    use std::os::unix::ffi::OsStrExt as _;
    let names = listed.split(|byte| *byte == 0).filter(|name| !name.is_empty());
    names
        .map(|name| PathBuf::from(std::ffi::OsStr::from_bytes(name)))
        .collect()
}

/// Bytes, from the line that ends the listing.
fn size_of(listed: &[u8]) -> u64 {
    let text = String::from_utf8_lossy(listed);
    let kib = text
        .lines()
        .find_map(|line| line.strip_prefix("size ")?.trim().parse().ok());
    kib.map_or(0, |kib: u64| kib.saturating_mul(1024))
}
