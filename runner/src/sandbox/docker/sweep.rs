//! Removes what killed runs left behind.

use bollard::models::Volume;
use bollard::query_parameters::{ListContainersOptionsBuilder, ListVolumesOptionsBuilder};
use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use super::engine::{REQUEST, bounded, remove_container};
use super::snapshots::Marker;
use super::{DockerSandbox, NAME_PREFIX};
use crate::error::SandboxError;
use crate::sandbox::{Swept, owner};

/// Baselines that one sweep removes at most: each takes a tenth of a second, and a run waits for it.
const MOST_BASELINES: usize = 32;

impl DockerSandbox {
    pub(super) async fn sweep_all(&self) -> Result<Swept, SandboxError> {
        let filters = HashMap::from([("label", vec![owner::LABEL])]);
        let mut swept = Swept::default();
        let options = ListContainersOptionsBuilder::default()
            .all(true)
            .filters(&filters)
            .build();
        let containers = bounded("list containers", REQUEST, self.docker.list_containers(Some(options))).await?;
        for container in containers {
            let labels = container.labels.unwrap_or_default();
            if let Some(id) = container.id.filter(|_| owner::is_gone(&labels, &self.owner)) {
                match remove_container(&self.docker, &id).await {
                    Ok(()) => swept.containers += 1,
                    Err(error) => tracing::warn!("while sweeping: {error}"),
                }
            }
        }
        let mut left = self.volumes().await?;
        left.retain(|volume| owner::is_gone(&volume.labels, &self.owner));
        // Asked for only now: an owner that is gone can't have made one of its stores a snapshot since.
        let markers: Vec<_> = self.volumes().await?.iter().filter_map(Marker::read).collect();
        let kept: BTreeSet<&str> = markers.iter().map(|marker| marker.store.as_str()).collect();
        // Views first: they lie over stores.
        left.sort_by_key(|volume| volume.name.len());
        for volume in left.iter().filter(|volume| !kept.contains(volume.name.as_str())) {
            match self.remove_store(&volume.name, Path::new(&volume.mountpoint)).await {
                Ok(()) => swept.volumes += 1,
                Err(error) => tracing::warn!("while sweeping: {error}"),
            }
        }
        let useless = |marker: &&Marker| !self.is_current(marker) || marker.is_abandoned();
        for marker in markers.iter().filter(useless).take(MOST_BASELINES) {
            match self.remove_snapshot(marker).await {
                Ok(()) => swept.volumes += 1,
                Err(SandboxError::InUse(_)) => {}
                Err(error) => tracing::warn!("while sweeping: {error}"),
            }
        }
        for volume in self.made_up_volumes().await? {
            match self.remove_store(&volume.name, Path::new(&volume.mountpoint)).await {
                Ok(()) => swept.volumes += 1,
                Err(error) => tracing::debug!("while sweeping: {error}"),
            }
        }
        Ok(swept)
    }

    /// Volumes that the engine made up when it was started again, for a container that still referred to one just
    /// removed: without labels, but by their name one of a process that is gone.
    async fn made_up_volumes(&self) -> Result<Vec<Volume>, SandboxError> {
        let filters = HashMap::from([("name", vec![NAME_PREFIX])]);
        let options = ListVolumesOptionsBuilder::default().filters(&filters).build();
        let listed = bounded("list volumes", REQUEST, self.docker.list_volumes(Some(options))).await?;
        let of_nobody = |volume: &Volume| {
            let unique = volume.name.strip_prefix(NAME_PREFIX);
            volume.labels.is_empty() && unique.is_some_and(|unique| owner::is_unique_gone(unique).unwrap_or(false))
        };
        let mut volumes = listed.volumes.unwrap_or_default();
        volumes.retain(of_nobody);
        Ok(volumes)
    }
}
