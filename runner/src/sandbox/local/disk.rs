//! Disks of workspaces: a file system of its own in a file of bounded size where we may mount one, else
//! a plain folder.

use rustix::fs::statvfs;
use rustix::mount::{MountFlags, UnmountFlags, mount, mount_bind, mount_remount, unmount};
use std::ffi::CString;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::LocalSettings;
use super::store::Store;
use super::view::View;
use crate::sandbox::control::Control;

/// Smallest disk that is worth a file system, in MiB.
const MIN_MIB: u64 = 8;
/// Files in `/tmp` per MiB of its size.
const TMP_FILES_PER_MIB: u64 = 1_024;
/// What ext4 needs for itself in the smallest disk, in bytes; some of it, and its reserve, stays free to the end.
const OVERHEAD: u64 = 8 << 20;
/// A disk with less room than this is used up: what is left are pieces too small for anybody.
const FULL_BYTES: u64 = 64 << 10;
/// Below this the file system under all disks is full.
const FULL_BELOW: u64 = 64 << 20;

/// How workspaces get their disks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Disks {
    /// Size of a disk in MiB; none: plain folders, not bounded.
    pub(super) size_mib: Option<u64>,
    /// Whether snapshots are overlaid; else they are copied.
    pub(super) overlay: bool,
    /// Owner of what is in them.
    owner: u32,
    /// A folder of the file system that they are files of.
    below: PathBuf,
}

impl Disks {
    /// What this machine lets us do, found by doing it.
    pub(super) fn find(store: &Store, view: &View, settings: &LocalSettings) -> Self {
        let owner = view.become_user.unwrap_or(rustix::process::getuid().as_raw());
        let mut disks = Self {
            size_mib: settings
                .controls
                .has(Control::DiskBound)
                .then(|| settings.config.disk_mib.max(MIN_MIB)),
            overlay: true,
            owner,
            below: store.slot(""),
        };
        if !view.as_root {
            disks.size_mib = None;
            disks.overlay = false;
            return disks;
        }
        let trial = store.slot(view.slot()).join("trial");
        if let Err(error) = disks.make(&trial) {
            tracing::warn!("disks of workspaces are not bounded here: {error}");
            disks.size_mib = None;
        }
        let lower = trial.join("lower");
        let overlaid = fs::create_dir_all(&lower).and_then(|()| disks.overlay(&lower, &trial.join("top")));
        if let Err(error) = overlaid {
            tracing::warn!("snapshots are copied here: {error}");
            disks.overlay = false;
        }
        if let Err(error) = unmount_below(&trial).and_then(|()| fs::remove_dir_all(&trial)) {
            tracing::warn!("a folder was left behind for the next sweep: {error}");
        }
        disks
    }

    /// The same without a bound: for what only we write to.
    pub(super) fn plain(&self) -> Self {
        Self {
            size_mib: None,
            ..self.clone()
        }
    }

    /// Makes a disk at this place, and in it an empty folder that belongs to the sandbox's user.
    pub(super) fn make(&self, place: &Path) -> io::Result<PathBuf> {
        let disk = place.join("disk");
        make_folder(place)?;
        make_folder(&disk)?;
        if let Some(mib) = self.size_mib {
            let image = place.join("disk.img");
            fs::File::create_new(&image)?.set_len((mib << 20) + OVERHEAD)?;
            // Without a journal: after a crash it is thrown away. Tables are zeroes already in a new file.
            tool(
                "mkfs.ext4",
                &["-q", "-F", "-m", "0", "-O", "^has_journal,^resize_inode", "-E"],
                &["lazy_itable_init=1,nodiscard".as_ref(), image.as_ref()],
            )?;
            mount_image(&image, &disk, "loop,nosuid,nodev,noatime")?;
        }
        self.own_folder(&disk.join("data"))
    }

    /// The same with the repo's folder, which steps start in.
    pub(super) fn make_tree(&self, place: &Path) -> io::Result<PathBuf> {
        let data = self.make(place)?;
        self.own_folder(&data.join("repo"))?;
        Ok(data)
    }

    fn own_folder(&self, folder: &Path) -> io::Result<PathBuf> {
        make_folder(folder)?;
        chown(folder, Some(self.owner), Some(self.owner))?;
        fs::set_permissions(folder, fs::Permissions::from_mode(0o755))?;
        Ok(folder.to_owned())
    }

    /// Makes a disk at this place, whose content starts as another one's and changes on its own.
    pub(super) fn overlay(&self, lower: &Path, place: &Path) -> io::Result<PathBuf> {
        let upper = self.make(place)?;
        let (work, merged) = (place.join("disk/work"), place.join("merged"));
        make_folder(&work)?;
        make_folder(&merged)?;
        let options = format!(
            "lowerdir={},upperdir={},workdir={}",
            lower.display(),
            upper.display(),
            work.display()
        );
        let options = CString::new(options)?;
        mount(
            "overlay",
            &merged,
            "overlay",
            MountFlags::NOSUID | MountFlags::NODEV,
            options.as_c_str(),
        )?;
        Ok(merged)
    }

    /// Whether the disk of a workspace, or its number of files, is used up. What was refused to a step needn't have
    /// fitted to the last byte, so it counts what is in use too.
    pub(super) fn is_full(&self, tree: &Path) -> bool {
        self.size_mib.is_some_and(|mib| {
            statvfs(tree).is_ok_and(|room| {
                let bytes = |blocks: u64| blocks.saturating_mul(room.f_frsize);
                // Where files aren't counted, there are none.
                bytes(room.f_bavail) < FULL_BYTES
                    || bytes(room.f_blocks - room.f_bfree) > mib << 20
                    || (room.f_files > 0 && room.f_favail == 0)
            })
        })
    }

    /// Whether the file system that holds the disks is used up. They are sparse: what is written to them may be lost
    /// then, whatever they say themselves.
    pub(super) fn is_full_below(&self) -> bool {
        self.size_mib.is_some()
            && statvfs(&self.below).is_ok_and(|room| room.f_bavail.saturating_mul(room.f_frsize) < FULL_BELOW)
    }
}

fn make_folder(folder: &Path) -> io::Result<()> {
    fs::create_dir(folder)?;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o711))
}

/// Mounts the file system in a file.
pub(super) fn mount_image(image: &Path, at: &Path, options: &str) -> io::Result<()> {
    tool("mount", &["-t", "ext4", "-o", options], &[image.as_ref(), at.as_ref()])
}

/// Makes what is mounted there read-only, for everybody.
pub(super) fn remount_read_only(at: &Path) -> io::Result<()> {
    let flags = MountFlags::RDONLY | MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOATIME;
    Ok(mount_remount(at, flags, c"")?)
}

/// Makes a file system in memory, of bounded size and number of files, that everybody may write to.
pub(super) fn make_tmp(at: &Path, mib: Option<u64>) -> io::Result<PathBuf> {
    let mib = mib.unwrap_or(0);
    // 0: no bound (tmpfs(5)).
    let options = format!(
        "mode=1777,size={mib}m,nr_inodes={}",
        mib.saturating_mul(TMP_FILES_PER_MIB)
    );
    fs::create_dir(at)?;
    mount(
        "tmpfs",
        at,
        "tmpfs",
        MountFlags::NOSUID | MountFlags::NODEV,
        CString::new(options)?.as_c_str(),
    )?;
    Ok(at.to_owned())
}

/// Makes a file, folder or socket seen at another place too, which is made for it, read-only. Its own path is
/// passed through by us, not by who looks at it there.
pub(super) fn bind(from: &Path, at: &Path) -> io::Result<PathBuf> {
    bind_writable(from, at)?;
    // Never writable. Whoever removes the folder around it with the mount still there (a killed run, a test's
    // temporary folder) would otherwise delete the host's own files through it.
    let read_only = MountFlags::BIND | MountFlags::RDONLY | MountFlags::NOSUID;
    if let Err(error) = mount_remount(at, read_only, c"") {
        unmount(at, UnmountFlags::DETACH | UnmountFlags::NOFOLLOW)?;
        return Err(error.into());
    }
    Ok(at.to_owned())
}

/// The same, writable: for folders of our own only.
pub(super) fn bind_writable(from: &Path, at: &Path) -> io::Result<PathBuf> {
    if fs::metadata(from)?.is_dir() {
        fs::create_dir(at)?;
    } else {
        fs::File::create_new(at)?;
    }
    mount_bind(from, at)?;
    Ok(at.to_owned())
}

/// Takes off whatever is mounted in a folder, the last first.
pub(super) fn unmount_below(folder: &Path) -> io::Result<()> {
    let mounts = fs::read("/proc/self/mountinfo")?;
    for point in mounted_below(&mounts, folder).iter().rev() {
        unmount(point, UnmountFlags::DETACH | UnmountFlags::NOFOLLOW)?;
    }
    Ok(())
}

/// Whether something is mounted there.
pub(super) fn is_mounted(folder: &Path) -> io::Result<bool> {
    let mounts = fs::read("/proc/self/mountinfo")?;
    Ok(mounted_below(&mounts, folder).iter().any(|point| point == folder))
}

/// Mount points at or below a folder, in the order of mounting (proc_pid_mountinfo(5)). Names with unusual
/// characters are written with escapes, which no path of ours needs.
fn mounted_below(mounts: &[u8], folder: &Path) -> Vec<PathBuf> {
    mounts
        .split(|byte| *byte == b'\n')
        .filter_map(|line| line.split(|byte| *byte == b' ').nth(4))
        .map(|point| PathBuf::from(std::ffi::OsStr::from_bytes(point)))
        .filter(|point| point.starts_with(folder))
        .collect()
}

/// Bytes of disk that a tree takes.
pub(super) fn tree_bytes(root: &Path) -> io::Result<u64> {
    let mut bytes = 0_u64;
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            // Of a link itself, not of what it points at.
            let metadata = entry.metadata()?;
            bytes = bytes.saturating_add(metadata.blocks().saturating_mul(512));
            if metadata.is_dir() {
                folders.push(entry.path());
            }
        }
    }
    Ok(bytes)
}

fn tool(name: &str, options: &[&str], paths: &[&std::ffi::OsStr]) -> io::Result<()> {
    let output = Command::new(name)
        .args(options)
        .args(paths)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| io::Error::new(error.kind(), format!("`{name}`: {error}")))?;
    if output.status.success() {
        return Ok(());
    }
    let said = crate::text::one_line(&String::from_utf8_lossy(&output.stderr));
    Err(io::Error::other(format!("`{name}`: {said}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mounts_of_a_folder_are_told_from_those_of_its_neighbours() {
        let table = b"1 0 8:1 / / rw - ext4 x rw\n\
                      2 1 8:1 / /r/slots/a/disk rw - ext4 x rw\n\
                      3 1 8:1 / /r/slots/ab/disk rw - ext4 x rw\n\
                      4 2 8:1 / /r/slots/a/disk/in rw - ext4 x rw\n";
        let below = mounted_below(table, Path::new("/r/slots/a"));
        assert_eq!(below, [Path::new("/r/slots/a/disk"), Path::new("/r/slots/a/disk/in")]);
    }
}
