//! Workspaces: made, read and removed.

use holdpoint_schemas::evidence::{Side, StepEnd};
use rustix::fs::{Mode, OFlags, ResolveFlags, openat2};
use rustix::io::Errno;
use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::{Shared, blocking, failed};
use crate::error::SandboxError;
use crate::sandbox::control::Control;
use crate::sandbox::{Limits, StepOutcome, StepSpec, Swept, WorkspaceId, tree};

/// The checked archive that a workspace was made from, for its seal to compare with.
pub(super) const BASE: &str = "base.tar";
/// A tree of gigabytes onto a slow disk.
const UNPACK: Duration = Duration::from_secs(300);
/// What an archive is unpacked by: inside the sandbox, with nothing but the workspace in reach.
const UNPACK_CHECKED: &str = "exec tar -xpf - -C / --no-same-owner";
/// The same, for an archive that nobody has checked: names may point anywhere.
const UNPACK_UNCHECKED: &str = "mkdir report cache && exec tar -xPpf - -C /workspace/repo --no-same-owner";

impl Shared {
    pub(super) async fn make_workspace(self: &Arc<Self>, tar: &[u8]) -> Result<WorkspaceId, SandboxError> {
        let checked = self.has(Control::CheckedTree);
        let archive = if checked {
            tree::repack(tar, SystemTime::now())?
        } else {
            tar.to_vec()
        };
        let shared = Arc::clone(self);
        let (workspace, archive) = blocking("make a workspace", move || {
            let workspace = shared.new_workspace()?;
            let slot = shared.store.slot(workspace.as_str());
            let made = shared.disks.make_tree(&slot.join("tree"));
            let made = made.and_then(|_| fs::write(slot.join(BASE), &archive));
            made.map_err(failed("make a workspace"))
                .inspect_err(|_| shared.give_up(&workspace))?;
            Ok((workspace, archive))
        })
        .await?;
        let mut unpack = self.own_step(if checked { UNPACK_CHECKED } else { UNPACK_UNCHECKED });
        unpack.stdin = Some(archive);
        self.run_own(&workspace, &unpack, "unpack the source tree").await?;
        Ok(workspace)
    }

    pub(super) fn new_workspace(&self) -> Result<WorkspaceId, SandboxError> {
        Ok(WorkspaceId(self.store.new_slot(None)?))
    }

    /// Removes what was half made.
    pub(super) fn give_up(&self, workspace: &WorkspaceId) {
        if let Err(error) = self.store.discard(workspace.as_str()) {
            tracing::warn!("a workspace was left behind for the next sweep: {error}");
        }
    }

    /// A step of our own, in the sandbox because it touches what untrusted code made.
    pub(super) fn own_step(&self, command: &str) -> StepSpec {
        StepSpec {
            name: "workspace".to_owned(),
            side: Side::Baseline,
            command: format!("cd /workspace && {command}"),
            env: BTreeMap::new(),
            proxy: None,
            mounts: Vec::new(),
            stdin: None,
            capture_bytes: 0,
            limits: Limits {
                wall: UNPACK,
                ..Limits::from(&self.config)
            },
        }
    }

    /// Runs it; a workspace for which it fails is given up.
    pub(super) async fn run_own(
        self: &Arc<Self>,
        workspace: &WorkspaceId,
        step: &StepSpec,
        what: &'static str,
    ) -> Result<(), SandboxError> {
        let StepOutcome { end, tail, .. } = self.run_step(workspace, step, &|_| {}).await;
        if end.is_success() {
            return Ok(());
        }
        let (shared, given_up) = (Arc::clone(self), workspace.clone());
        blocking("remove a workspace", move || {
            shared.give_up(&given_up);
            Ok(())
        })
        .await?;
        let reason = match end {
            StepEnd::OutOfDisk => "it does not fit on the workspace's disk".to_owned(),
            _ => crate::text::one_line(tail.lines().last().unwrap_or("no reason was given")),
        };
        Err(SandboxError::Local { what, reason })
    }

    /// The folder of the host that is the workspace.
    pub(super) fn tree_of(&self, workspace: &WorkspaceId) -> Result<PathBuf, SandboxError> {
        let gone = || SandboxError::NoWorkspace(crate::text::one_line(workspace.as_str()));
        let mut name = Path::new(workspace.as_str()).components();
        if !matches!((name.next(), name.next()), (Some(Component::Normal(_)), None)) {
            return Err(gone());
        }
        let tree = self.store.slot(workspace.as_str()).join("tree");
        let places = [tree.join("merged"), tree.join("disk/data")];
        places.into_iter().find(|place| place.is_dir()).ok_or_else(gone)
    }

    pub(super) fn read_workspace_file(
        &self,
        workspace: &WorkspaceId,
        path: &str,
        max_bytes: usize,
    ) -> Result<Option<Vec<u8>>, SandboxError> {
        let shown = || crate::text::one_line(path);
        let inside = Path::new(path)
            .components()
            .all(|part| matches!(part, Component::Normal(_)));
        if path.is_empty() || path.contains('\0') || !inside {
            return Err(SandboxError::BadPath(shown()));
        }
        let what = failed("read a file of the workspace");
        let Some(file) = open_inside(&self.tree_of(workspace)?, Path::new(path)).map_err(&what)? else {
            return Ok(None);
        };
        let mut content = Vec::new();
        file.take((max_bytes as u64).saturating_add(1))
            .read_to_end(&mut content)
            .map_err(what)?;
        if content.len() > max_bytes {
            return Err(SandboxError::FileTooLarge {
                path: shown(),
                max_bytes,
            });
        }
        Ok(Some(content))
    }

    pub(super) async fn remove_workspace(self: &Arc<Self>, workspace: &WorkspaceId) -> Result<(), SandboxError> {
        if self.tree_of(workspace).is_err() {
            return Ok(());
        }
        let (shared, gone) = (Arc::clone(self), workspace.clone());
        let removed = blocking("remove a workspace", move || Ok(shared.clear(gone.as_str()))).await?;
        if removed.is_err() && !self.view.as_root {
            // A folder that its owner may not list or change can't be emptied; steps run as that owner.
            let open_up = self.own_step("chmod -R u+rwX .");
            self.run_step(workspace, &open_up, &|_| {}).await;
            let (shared, gone) = (Arc::clone(self), workspace.clone());
            return blocking("remove a workspace", move || {
                shared.clear(gone.as_str()).map_err(failed("remove a workspace"))
            })
            .await;
        }
        removed.map_err(failed("remove a workspace"))
    }

    /// Ends all processes of a slot, and removes it.
    fn clear(&self, name: &str) -> std::io::Result<()> {
        for group in self.groups.named(&format!("{name}.")) {
            group.kill_and_wait();
            group.remove();
        }
        self.store.discard(name)
    }

    pub(super) fn sweep_dead(&self) -> Result<Swept, SandboxError> {
        let mut swept = Swept::default();
        for name in self.store.dead().map_err(failed("list workspaces"))? {
            match self.clear(&name) {
                Ok(()) => swept.volumes += 1,
                Err(error) => tracing::warn!("while sweeping: {error}"),
            }
        }
        swept.volumes += self.sweep_snapshots()?;
        Ok(swept)
    }
}

/// Opens a regular file below a folder, through no link at all (openat2(2)). `None`: there is none. A pipe that
/// nobody writes to must not hold us up, hence `O_NONBLOCK`.
pub(super) fn open_inside(folder: &Path, path: &Path) -> std::io::Result<Option<fs::File>> {
    let top = fs::File::open(folder)?;
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_XDEV;
    match openat2(&top, path, flags, Mode::empty(), resolve) {
        Ok(file) => {
            let file = fs::File::from(file);
            let regular = file.metadata()?.is_file();
            Ok(regular.then_some(file))
        }
        // Not there, a link, a socket, or a name that no file can have.
        Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::NXIO | Errno::NAMETOOLONG) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
