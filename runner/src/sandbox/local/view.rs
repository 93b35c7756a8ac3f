//! What steps see of the host: its programs, read-only, in a root of their own.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::store::Store;
use super::{disk, failed, seccomp};
use crate::error::SandboxError;
use crate::sandbox::control::{Control, Controls};
use crate::sandbox::docker::image::{host_mounts, host_programs, host_rust_toolchain};
use crate::sandbox::{ReadOnlyMount, SANDBOX_UID};

/// Links of a merged `/usr` (file-hierarchy(7)).
const USR_LINKS: [&str; 6] = ["bin", "sbin", "lib", "lib32", "lib64", "libx32"];
/// Files of `/etc`. Nothing of the host's own is seen.
const ETC: [(&str, &str); 4] = [
    (
        "passwd",
        "root:x:0:0:root:/:/usr/sbin/nologin\nholdpoint:x:10001:10001:holdpoint:/tmp:/bin/sh\n\
         nobody:x:65534:65534:nobody:/:/usr/sbin/nologin\n",
    ),
    ("group", "root:x:0:\nholdpoint:x:10001:\nnogroup:x:65534:\n"),
    ("nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n"),
    ("hosts", "127.0.0.1 localhost\n::1 localhost\n"),
];

/// The view, made once per sandbox.
#[derive(Debug)]
pub(super) struct View {
    slot: String,
    /// Folders of the host.
    pub(super) mounts: Vec<ReadOnlyMount>,
    /// State of the programs that are seen.
    pub(super) programs: String,
    /// Links in the root: name and target.
    pub(super) links: Vec<(String, String)>,
    /// Folder that is `/etc`.
    pub(super) etc: PathBuf,
    /// Compiled system call filters.
    pub(super) filters: Vec<PathBuf>,
    /// The user that steps are on the host; none: who we are, because we can't be another.
    pub(super) become_user: Option<u32>,
    /// Whether steps have a user namespace; not, where root is to stay root.
    pub(super) user_namespace: bool,
    /// User and group that steps see themselves as.
    pub(super) uid_inside: u32,
    /// Whether we may mount.
    pub(super) as_root: bool,
}

impl View {
    pub(super) fn make(store: &Store, as_root: bool, controls: &Controls) -> Result<Self, SandboxError> {
        let slot = store.new_slot(None)?;
        let made = Self::fill(store.slot(&slot), slot.clone(), as_root, controls);
        if made.is_err() {
            let _ = store.discard(&slot);
        }
        made
    }

    fn fill(folder: PathBuf, slot: String, as_root: bool, controls: &Controls) -> Result<Self, SandboxError> {
        let what = failed("make a view of the host");
        let etc = folder.join("etc");
        // Whatever file mode mask we have: the sandbox's user reads it.
        for below in ["", "alternatives", "ssl", "ssl/certs"] {
            let made = etc.join(below);
            fs::create_dir(&made)
                .and_then(|()| fs::set_permissions(&made, fs::Permissions::from_mode(0o755)))
                .map_err(&what)?;
        }
        for (name, text) in ETC {
            let file = etc.join(name);
            fs::write(&file, text)
                .and_then(|()| fs::set_permissions(&file, fs::Permissions::from_mode(0o644)))
                .map_err(&what)?;
        }
        std::os::unix::fs::symlink("/proc/self/mounts", etc.join("mtab")).map_err(&what)?;
        let mut filters = Vec::new();
        if controls.has(Control::Seccomp) {
            let programs = seccomp::filters().map_err(|error| SandboxError::Local {
                what: "make a system call filter",
                reason: error.to_string(),
            })?;
            for (index, program) in programs.iter().enumerate() {
                let file = folder.join(format!("filter-{index}"));
                fs::write(&file, program).map_err(&what)?;
                filters.push(file);
            }
        }
        let mut links = Vec::new();
        for name in USR_LINKS {
            let path = Path::new("/").join(name);
            if path.is_symlink() {
                links.push((format!("/{name}"), format!("usr/{name}")));
            } else if path.exists() {
                return Err(SandboxError::NoBubblewrap(format!(
                    "`{}` is not a link into /usr on this machine",
                    path.display()
                )));
            }
        }
        let mut mounts = host_mounts(host_rust_toolchain());
        let programs = host_programs(&mounts);
        if as_root {
            // The toolchain may lie in a folder that only root passes through.
            for (index, mount) in mounts.iter_mut().enumerate() {
                mount.host = disk::bind(&mount.host, &folder.join(format!("host-{index}"))).map_err(&what)?;
            }
        }
        let unprivileged = controls.has(Control::UnprivilegedUser);
        Ok(Self {
            slot,
            mounts,
            programs,
            links,
            etc,
            filters,
            become_user: (as_root && unprivileged).then_some(SANDBOX_UID),
            user_namespace: unprivileged || !as_root,
            uid_inside: if unprivileged { SANDBOX_UID } else { 0 },
            as_root,
        })
    }

    /// The slot that it lives in.
    pub(super) fn slot(&self) -> &str {
        &self.slot
    }
}

/// Version of the bubblewrap that is there: `0.8.0`.
pub(super) fn bubblewrap_version() -> Result<String, SandboxError> {
    let output = Command::new("bwrap")
        .arg("--version")
        .output()
        .map_err(|error| SandboxError::NoBubblewrap(error.to_string()))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let version = text.trim().strip_prefix("bubblewrap ").map(crate::text::one_line);
    version
        .filter(|_| output.status.success())
        .ok_or_else(|| SandboxError::NoBubblewrap("it does not tell its version".to_owned()))
}
