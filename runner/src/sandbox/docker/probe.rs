//! What this engine can do, found out by doing it once.

use std::path::Path;
use std::time::SystemTime;

use super::DockerSandbox;
use super::disk::Disks;
use super::layer::{self, LAYER, TREE};
use super::workspace::{Workspace, part};
use crate::error::SandboxError;
use crate::sandbox::WORKSPACE_DIR;
use crate::sandbox::control::Control;
use crate::sandbox::snapshot::TreeChange;

/// A file of the probe's tree that stays, and one that is removed.
const STAYS: &str = "stays";
const GOES: &str = "goes";

impl DockerSandbox {
    /// Finds out whether workspaces can be layers over a snapshot, and how their disk can be bounded.
    pub(super) async fn probe(&mut self, disk_mib: u64) {
        let bounded = self.rules.controls.has(Control::DiskBound).then_some(disk_mib);
        // Without a disk where that fails: its failure says nothing of layers.
        let disks = [bounded, None];
        for mib in disks.into_iter().skip(usize::from(bounded.is_none())) {
            self.disks = Disks { mib };
            self.layers = true;
            match self.try_layers().await {
                Ok(Seen { layers: true, disk }) if disk || mib.is_none() => break,
                Ok(_) => tracing::debug!("workspaces have no disk of their own here: the engine runs elsewhere"),
                Err(error) => tracing::debug!("while trying layered workspaces: {error}"),
            }
            self.layers = false;
        }
        if !self.layers {
            // Steps then write into the tree itself.
            self.disks = Disks { mib: None };
        }
        if self.disks.mib.is_none() && bounded.is_some() && !self.can_measure().await {
            self.rules.controls = self.rules.controls.clone().without(Control::DiskBound);
        }
    }

    async fn try_layers(&self) -> Result<Seen, SandboxError> {
        let tar = two_files().map_err(crate::sandbox::tree::TreeError::from)?;
        let filled = layer::of_tree(&tar, SystemTime::now())?;
        let mut workspace = self.new_store(None, filled.archive.len()).await?;
        let seen = self.try_in(&workspace, filled).await;
        let made = self.take_away(&workspace).await;
        self.keep_or_undo(&mut workspace, made).await?;
        seen
    }

    async fn try_in(&self, workspace: &Workspace, filled: layer::TreeLayer) -> Result<Seen, SandboxError> {
        self.make_writer(workspace, None).await?;
        self.upload(&workspace.writer(), filled.archive).await?;
        let change = TreeChange {
            written: Vec::new(),
            removed: vec![GOES.to_owned()],
        };
        let change = layer::of_change(&change, &filled.paths, SystemTime::now())?;
        self.upload(&workspace.writer(), change).await?;
        // What the engine wrote must have gone onto the disk that this process mounted.
        let disk = workspace.disk.is_some() && Path::new(&part(&workspace.mountpoint, LAYER)).is_dir();
        self.make_view(workspace, &[part(&workspace.mountpoint, TREE)]).await?;
        let read = async |name: &str| {
            let path = format!("{WORKSPACE_DIR}/repo/{name}");
            self.read_view(workspace, &path, 1024).await
        };
        let layers = read(STAYS).await?.is_some() && read(GOES).await?.is_none();
        Ok(Seen { layers, disk })
    }
}

struct Seen {
    layers: bool,
    disk: bool,
}

fn two_files() -> std::io::Result<Vec<u8>> {
    let mut tree = tar::Builder::new(Vec::new());
    for name in [STAYS, GOES] {
        let mut header = tar::Header::new_gnu();
        header.set_mode(0o644);
        header.set_size(1);
        tree.append_data(&mut header, name, b"\n".as_slice())?;
    }
    tree.into_inner()
}
