//! Snapshots: a sealed workspace, and workspaces that start from one.
//!
//! A build may change files that the repo tracks. Whatever starts from its snapshot with a change of its own
//! is to be built again, so it gets those files back as the tree had them; otherwise a candidate would be
//! judged with files that nobody committed. Without a change the snapshot is what the build left.

use rustix::fs::{Mode, readlinkat};
use std::fs;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use super::workspace::{BASE, open_inside};
use super::{Shared, blocking, disk, failed};
use crate::error::SandboxError;
use crate::sandbox::control::Control;
use crate::sandbox::keeper;
use crate::sandbox::snapshot::{SnapshotInfo, SnapshotKey, TreeChange};
use crate::sandbox::{ReadOnlyMount, WorkspaceId, tree};

/// Tracked files that the build changed, as the tree had them.
const RESTORE: &str = "restore.tar";
/// Size of a snapshot in bytes.
const SIZE: &str = "bytes";
/// For whom it is kept, as labels.
const KEEPER: &str = "keeper.json";
/// Snapshots that one sweep removes at most: a run waits for it.
const MOST_SNAPSHOTS: usize = 32;
/// Where a workspace sees what it is to be changed by, while it is made.
const CHANGE_DIR: &str = "/holdpoint/change";
/// Where it sees a snapshot that is copied.
const FROM_DIR: &str = "/holdpoint/from";
/// Paths to be gone come first, then files of the snapshot's tree, then those of the change; all dated now (`-m`).
const APPLY: &str = "cd /workspace/repo && C=/holdpoint/change \
    && if [ -s $C/restore.tar ]; then xargs -0 -r rm -rf -- <$C/restore.paths && tar -xmpf $C/restore.tar -C / --no-same-owner; fi \
    && xargs -0 -r rm -rf -- <$C/change.paths \
    && if [ -s $C/change.tar ]; then tar -xmpf $C/change.tar -C / --no-same-owner; fi";

impl Shared {
    pub(super) fn seal_workspace(
        &self,
        workspace: &WorkspaceId,
        key: &SnapshotKey,
    ) -> Result<SnapshotInfo, SandboxError> {
        let what = failed("seal a workspace");
        let tree = self.tree_of(workspace)?;
        let slot = self.store.slot(workspace.as_str());
        if tree.ends_with("merged") {
            return Err(what(io::Error::other("it starts from a snapshot itself")));
        }
        // Nobody may write to it any more.
        for group in self.groups.named(&format!("{}.", workspace.as_str())) {
            group.kill_and_wait();
            group.remove();
        }
        let sealed = self.settle(&slot, &tree).map_err(&what)?;
        let _lock = self.store.lock().map_err(&what)?;
        let place = self.store.snapshot(key);
        if place.exists() && !self.is_whole(key) {
            disk::unmount_below(&place)
                .and_then(|()| fs::remove_dir_all(&place))
                .map_err(&what)?;
        }
        if place.exists() {
            // Somebody else was first; one is as good as the other.
            self.store.discard(workspace.as_str()).map_err(&what)?;
            return self.info(key);
        }
        fs::rename(&slot, place)
            .and_then(|()| self.store.forget(workspace.as_str()))
            .map_err(what)?;
        Ok(SnapshotInfo {
            key: key.clone(),
            bytes: sealed,
        })
    }

    /// Notes what the build changed, and closes the disk. Its size in bytes.
    fn settle(&self, slot: &Path, tree: &Path) -> io::Result<u64> {
        let restore = fs::File::create(slot.join(RESTORE))?;
        changed_files(fs::File::open(slot.join(BASE))?, tree, restore)?;
        fs::remove_file(slot.join(BASE))?;
        let bytes = disk::tree_bytes(tree)?;
        fs::write(slot.join(SIZE), bytes.to_string())?;
        if let Some(keeper) = &self.keeper {
            fs::write(slot.join(KEEPER), serde_json::to_vec(&keeper.labels())?)?;
        }
        let disk = slot.join("tree/disk");
        if disk::is_mounted(&disk)? {
            // What couldn't be written, because the file system below is full, is told only now (syncfs(2)).
            rustix::fs::syncfs(fs::File::open(&disk)?)?;
            if self.has(Control::SealedSnapshot) {
                disk::remount_read_only(&disk)?;
            }
        }
        Ok(bytes)
    }

    /// Removes snapshots whose keeper is gone; how many.
    pub(super) fn sweep_snapshots(&self) -> Result<usize, SandboxError> {
        let keys = self.store.snapshot_keys().map_err(failed("list snapshots"))?;
        let abandoned = |key: &&SnapshotKey| {
            let labels = fs::read(self.store.snapshot(key).join(KEEPER)).ok();
            labels.is_some_and(|json| serde_json::from_slice(&json).is_ok_and(|labels| keeper::is_gone(&labels)))
        };
        let mut swept = 0;
        for key in keys.iter().filter(abandoned).take(MOST_SNAPSHOTS) {
            match self.remove_snapshot(key) {
                Ok(()) => swept += 1,
                Err(error) => tracing::debug!("while sweeping: {error}"),
            }
        }
        Ok(swept)
    }

    fn info(&self, key: &SnapshotKey) -> Result<SnapshotInfo, SandboxError> {
        let text = fs::read_to_string(self.store.snapshot(key).join(SIZE)).map_err(failed("read a snapshot"))?;
        Ok(SnapshotInfo {
            key: key.clone(),
            bytes: text.trim().parse().unwrap_or(0),
        })
    }

    pub(super) fn list_snapshots(&self) -> Result<Vec<SnapshotInfo>, SandboxError> {
        let keys = self.store.snapshot_keys().map_err(failed("list snapshots"))?;
        // One that is removed meanwhile isn't there any more.
        let whole = keys.iter().filter(|key| self.is_whole(key));
        Ok(whole.filter_map(|key| self.info(key).ok()).collect())
    }

    /// Whether a snapshot has its content, or the disk with it to be mounted again.
    fn is_whole(&self, key: &SnapshotKey) -> bool {
        let tree = self.store.snapshot(key).join("tree");
        tree.join("disk/data").is_dir() || tree.join("disk.img").is_file()
    }

    pub(super) fn remove_snapshot(&self, key: &SnapshotKey) -> Result<(), SandboxError> {
        let what = failed("remove a snapshot");
        let _lock = self.store.lock().map_err(&what)?;
        let place = self.store.snapshot(key);
        if !place.exists() {
            return Ok(());
        }
        if self.store.in_use(key).map_err(&what)? {
            return Err(what(io::Error::other("a workspace starts from it")));
        }
        disk::unmount_below(&place)
            .and_then(|()| fs::remove_dir_all(&place))
            .map_err(what)
    }

    pub(super) async fn branch_snapshot(
        self: &Arc<Self>,
        key: &SnapshotKey,
        change: &TreeChange,
    ) -> Result<WorkspaceId, SandboxError> {
        let plan = (!change.is_empty()).then(|| Change::of(change)).transpose()?;
        let (shared, wanted) = (Arc::clone(self), key.clone());
        let (workspace, from) = blocking("start from a snapshot", move || shared.start_from(&wanted)).await?;
        if let Some(from) = from {
            let mut copy = self.own_step(&format!("cp -a --reflink=auto {FROM_DIR}/. /workspace/"));
            copy.mounts.push(read_only(from, FROM_DIR));
            self.run_own(&workspace, &copy, "copy a snapshot").await?;
        }
        if let Some(plan) = plan {
            let folder = self.store.slot(workspace.as_str()).join("change");
            let restore = self.store.snapshot(key).join(RESTORE);
            let shared = Arc::clone(self);
            let (made, given_up) = (folder.clone(), workspace.clone());
            blocking("apply a change", move || {
                plan.write(&made, &restore)
                    .map_err(failed("apply a change"))
                    .inspect_err(|_| shared.give_up(&given_up))
            })
            .await?;
            let mut apply = self.own_step(APPLY);
            apply.mounts.push(read_only(folder.clone(), CHANGE_DIR));
            self.run_own(&workspace, &apply, "apply a change").await?;
            fs::remove_dir_all(folder).map_err(failed("apply a change"))?;
        }
        Ok(workspace)
    }

    /// A workspace that starts from a snapshot; with the folder to copy, where it can't be overlaid.
    fn start_from(&self, key: &SnapshotKey) -> Result<(WorkspaceId, Option<PathBuf>), SandboxError> {
        let what = failed("start from a snapshot");
        let _lock = self.store.lock().map_err(&what)?;
        let place = self.store.snapshot(key).join("tree");
        if !self.is_whole(key) {
            return Err(SandboxError::NoSnapshot(key.to_string()));
        }
        let (disk, image) = (place.join("disk"), place.join("disk.img"));
        if image.exists() && !disk::is_mounted(&disk).map_err(&what)? {
            // The machine was started again since.
            disk::mount_image(&image, &disk, "loop,ro,nosuid,nodev,noatime").map_err(&what)?;
        }
        let data = disk.join("data");
        let workspace = WorkspaceId(self.store.new_slot(Some(key.clone()))?);
        let tree = self.store.slot(workspace.as_str()).join("tree");
        let made = if !self.has(Control::SealedSnapshot) {
            fs::create_dir(&tree).and_then(|()| disk::bind_writable(&data, &tree.join("merged")))
        } else if self.disks.overlay {
            self.disks.overlay(&data, &tree)
        } else {
            self.disks.make_tree(&tree)
        };
        made.map_err(what).inspect_err(|_| self.give_up(&workspace))?;
        let copy = self.has(Control::SealedSnapshot) && !self.disks.overlay;
        Ok((workspace, copy.then_some(data)))
    }
}

fn read_only(host: PathBuf, inside: &str) -> ReadOnlyMount {
    ReadOnlyMount {
        host,
        inside: inside.to_owned(),
    }
}

/// A change, checked and ready to be applied.
struct Change {
    archive: Vec<u8>,
    /// Paths relative to the repo, each ended by a zero.
    paths: Vec<u8>,
}

impl Change {
    fn of(change: &TreeChange) -> Result<Self, SandboxError> {
        let mut paths = Vec::new();
        for path in &change.removed {
            let inside = Path::new(path)
                .components()
                .all(|part| matches!(part, Component::Normal(_)));
            if path.is_empty() || path.contains('\0') || !inside {
                return Err(SandboxError::BadPath(crate::text::one_line(path)));
            }
            paths.extend([b"./", path.as_bytes(), b"\0"].concat());
        }
        let archive = if change.written.is_empty() {
            Vec::new()
        } else {
            tree::repack(&change.written, SystemTime::now())?
        };
        // A folder of the build's may be where a file is to be.
        add_paths(archive.as_slice(), &mut paths).map_err(failed("read a change"))?;
        Ok(Self { archive, paths })
    }

    fn write(&self, folder: &Path, restore: &Path) -> io::Result<()> {
        let mut restored = Vec::new();
        add_paths(fs::File::open(restore)?, &mut restored)?;
        fs::create_dir(folder)?;
        fs::set_permissions(folder, fs::Permissions::from_mode(0o755))?;
        for (name, content) in [
            ("restore.paths", &restored),
            ("change.paths", &self.paths),
            ("change.tar", &self.archive),
        ] {
            fs::write(folder.join(name), content)?;
            make_readable(&folder.join(name))?;
        }
        if !restored.is_empty() {
            let copy = folder.join("restore.tar");
            fs::copy(restore, &copy)?;
            make_readable(&copy)?;
        }
        Ok(())
    }
}

/// Adds the paths of an archive's files and links, relative to the repo, each ended by a zero.
fn add_paths(archive: impl Read, paths: &mut Vec<u8>) -> io::Result<()> {
    for entry in tar::Archive::new(archive).entries()? {
        let entry = entry?;
        if let (false, Some(path)) = (entry.header().entry_type().is_dir(), below_repo(&entry.path()?)) {
            paths.extend([b"./", path.as_os_str().as_bytes(), b"\0"].concat());
        }
    }
    Ok(())
}

/// The path of a checked archive's entry, relative to the repo.
fn below_repo(path: &Path) -> Option<&Path> {
    path.strip_prefix("workspace/repo")
        .ok()
        .filter(|path| !path.as_os_str().is_empty())
}

/// Copies the entries of a checked archive that are not in the workspace as they were.
fn changed_files(archive: impl Read, workspace: &Path, out: impl io::Write) -> io::Result<()> {
    let mut out = tar::Builder::new(out);
    for entry in tar::Archive::new(archive).entries()? {
        let mut entry = entry?;
        let path = entry.path()?.into_owned();
        let Some(relative) = below_repo(&path) else {
            continue;
        };
        let mut header = entry.header().clone();
        let inside = Path::new("repo").join(relative);
        if header.entry_type().is_symlink() {
            let target = entry.link_name()?.unwrap_or_default().into_owned();
            if link_inside(workspace, &inside)?.as_deref() != Some(target.as_path()) {
                out.append_link(&mut header, &path, &target)?;
            }
        } else if header.entry_type().is_file() {
            // Bounded by the size that a checked tree may have.
            let mut content = Vec::new();
            entry.read_to_end(&mut content)?;
            if !same_file(workspace, &inside, &content, header.mode()?)? {
                out.append_data(&mut header, &path, content.as_slice())?;
            }
        }
    }
    out.into_inner().map(drop)
}

fn same_file(workspace: &Path, path: &Path, content: &[u8], mode: u32) -> io::Result<bool> {
    let Some(mut file) = open_inside(workspace, path)? else {
        return Ok(false);
    };
    let metadata = file.metadata()?;
    if metadata.len() != content.len() as u64 || (metadata.permissions().mode() ^ mode) & 0o111 != 0 {
        return Ok(false);
    }
    let mut found = Vec::with_capacity(content.len());
    (&mut file).take(metadata.len()).read_to_end(&mut found)?;
    Ok(found == content)
}

/// Where a link of the workspace points; `None` when it is none, or lies behind another one.
fn link_inside(workspace: &Path, path: &Path) -> io::Result<Option<PathBuf>> {
    use rustix::fs::{OFlags, ResolveFlags, openat2};
    use rustix::io::Errno;
    let top = fs::File::open(workspace)?;
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_XDEV;
    let parent = path.parent().unwrap_or(Path::new("."));
    let folder = match openat2(
        &top,
        parent,
        flags | OFlags::DIRECTORY,
        Mode::empty(),
        resolve | ResolveFlags::NO_SYMLINKS,
    ) {
        Ok(folder) => folder,
        Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    match readlinkat(&folder, path.file_name().unwrap_or_default(), Vec::new()) {
        Ok(target) => Ok(Some(PathBuf::from(std::ffi::OsStr::from_bytes(target.as_bytes())))),
        Err(Errno::NOENT | Errno::INVAL | Errno::NOTDIR) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Lets the sandbox's user read a file, whatever file mode mask we have.
fn make_readable(file: &Path) -> io::Result<()> {
    fs::set_permissions(file, fs::Permissions::from_mode(0o644))
}
