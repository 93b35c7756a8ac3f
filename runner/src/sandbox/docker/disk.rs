//! The bound on what a workspace adds: a file system of its own in a file, for its layer. Only where
//! the runner may mount on the engine's host; elsewhere a watcher looks on (`watch.rs`).

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::process::Command;

use super::one_line;
use crate::error::SandboxError;

/// Both programs take milliseconds.
const PROGRAM: Duration = Duration::from_secs(60);
/// Bytes of disk per file that may be made: ext4's own ratio (mke2fs.conf(5), `inode_ratio`).
const BYTES_PER_FILE: u64 = 16_384;
/// Files of the smallest disk.
const FEWEST_FILES: u64 = 16_384;
/// What ext4 needs for itself in the smallest disk, in bytes.
const OVERHEAD: u64 = 8 << 20;
/// The image of a disk, below a store.
const IMAGE: &str = "disk.img";
/// Where a store's disk is mounted.
const FOLDER: &str = "layer";

/// Makes disks, or doesn't.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Disks {
    /// Size of each in MiB; `None`: the runner can't mount where the engine would see it.
    pub mib: Option<u64>,
}

/// A file system in a file, mounted at a store's layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Disk {
    /// Where it is mounted, on the engine's host, which is this one.
    pub folder: PathBuf,
}

impl Disks {
    /// Whether this process may try: as root, and the engine's folders are here.
    fn may_mount(mountpoint: &Path) -> bool {
        rustix::process::geteuid().is_root() && mountpoint.is_dir()
    }

    /// A disk for a store, with room for `beside` bytes that aren't the steps' doing.
    pub async fn make(&self, store: &Path, beside: usize) -> Result<Option<Disk>, SandboxError> {
        let Some(mib) = self.mib else { return Ok(None) };
        if !Self::may_mount(store) {
            return Err(SandboxError::Disk("only root on the engine's own host can".to_owned()));
        }
        let bytes = mib
            .saturating_mul(1 << 20)
            .saturating_add(beside as u64)
            .saturating_add(OVERHEAD);
        let (image, folder) = (store.join(IMAGE), store.join(FOLDER));
        let made = async {
            tokio::fs::File::create(&image).await?.set_len(bytes).await?;
            tokio::fs::create_dir(&folder).await
        };
        made.await.map_err(|error| failed(&error))?;
        let files = (bytes / BYTES_PER_FILE).max(FEWEST_FILES).to_string();
        // Without a journal: a disk that isn't taken down properly is thrown away.
        let format = [
            "-q",
            "-F",
            "-m",
            "0",
            "-O",
            "^has_journal,^resize_inode",
            "-E",
            "nodiscard",
            "-N",
            &files,
        ];
        program("mkfs.ext4", &format, &[&image]).await?;
        program("mount", &["-o", "loop,nosuid,nodev,noatime"], &[&image, &folder]).await?;
        Ok(Some(Disk { folder }))
    }

    /// Takes down whatever is mounted in a store, also where this process makes no disks itself: a sweep finds those of
    /// others. Nothing there is no error.
    pub async fn unmount(store: &Path) -> Result<(), SandboxError> {
        let folder = store.join(FOLDER);
        let table = tokio::fs::read_to_string("/proc/self/mountinfo").await;
        let mounted = table.map_err(|error| failed(&error))?;
        let wanted = folder.to_string_lossy();
        // Field 5 is the mount point (proc_pid_mountinfo(5)).
        if !mounted.lines().any(|line| line.split(' ').nth(4) == Some(&*wanted)) {
            return Ok(());
        }
        // Lazily: a container on its way out may still hold it for a moment.
        program("umount", &["-l"], &[&folder]).await
    }

    /// Makes the disk of a sealed store unwritable for everybody. What couldn't be written to it, because the one below
    /// is full, is told only now (syncfs(2)).
    pub async fn seal(&self, disk: &Disk) -> Result<(), SandboxError> {
        let folder = disk.folder.clone();
        let written = tokio::task::spawn_blocking(move || Ok(rustix::fs::syncfs(File::open(folder)?)?));
        let written: io::Result<()> = written.await.map_err(io::Error::other).flatten();
        written.map_err(|error| failed(&error))?;
        program("mount", &["-o", "remount,ro"], &[&disk.folder]).await
    }
}

impl Disk {
    /// What is in use and what is left.
    pub fn usage(&self) -> io::Result<Usage> {
        let own = rustix::fs::statvfs(&self.folder)?;
        // The image is sparse: the file system below can be full before it is.
        let below = rustix::fs::statvfs(self.folder.parent().unwrap_or(&self.folder))?;
        Ok(Usage {
            used: (own.f_blocks - own.f_bfree).saturating_mul(own.f_frsize),
            free: own.f_bavail.saturating_mul(own.f_frsize),
            free_files: own.f_favail,
            free_below: below.f_bavail.saturating_mul(below.f_frsize),
        })
    }
}

/// Room on a disk, in bytes and files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Usage {
    pub used: u64,
    pub free: u64,
    pub free_files: u64,
    pub free_below: u64,
}

async fn program(name: &'static str, options: &[&str], paths: &[&Path]) -> Result<(), SandboxError> {
    let mut command = Command::new(name);
    command.args(options).args(paths).kill_on_drop(true);
    let output = match tokio::time::timeout(PROGRAM, command.output()).await {
        Ok(output) => output.map_err(|error| SandboxError::Disk(format!("`{name}`: {error}")))?,
        Err(_) => {
            return Err(SandboxError::Disk(format!(
                "`{name}` took more than {} s",
                PROGRAM.as_secs()
            )));
        }
    };
    if output.status.success() {
        return Ok(());
    }
    let said = one_line(&String::from_utf8_lossy(&output.stderr));
    Err(SandboxError::Disk(format!("`{name}`: {said}")))
}

fn failed(error: &io::Error) -> SandboxError {
    SandboxError::Disk(one_line(&error.to_string()))
}
