//! Looks at the disk of a step while it runs.

use std::time::Duration;
use tokio::time::{Interval, MissedTickBehavior, interval};

use super::disk::{Disk, Usage};
use super::workspace::Workspace;
use crate::sandbox::Limits;

/// Between two looks: a disk takes some 100 MB in it.
const LOOK: Duration = Duration::from_millis(100);
/// A disk with less than this left is full: what needs more has failed.
const FULL_BYTES: u64 = 64 << 10;
/// The same of files.
const FULL_FILES: u64 = 8;
/// Below this the file system under all disks is full.
const FULL_BELOW: u64 = 64 << 20;

/// A step's disk, and whether it was ever full.
pub(super) struct Watch<'a> {
    disk: Option<&'a Disk>,
    limit: u64,
    full: bool,
    looks: Interval,
}

impl<'a> Watch<'a> {
    pub fn new(workspace: &'a Workspace, limits: &Limits) -> Self {
        Self::of(workspace.disk.as_ref(), limits.disk_mib.saturating_mul(1 << 20))
    }

    pub fn nothing() -> Self {
        Self::of(None, u64::MAX)
    }

    fn of(disk: Option<&'a Disk>, limit: u64) -> Self {
        let mut looks = interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            disk,
            limit,
            full: false,
            looks,
        }
    }

    /// Ends when the disk is full; never without a disk. May be dropped and begun again.
    pub async fn until_full(&mut self) {
        let Some(disk) = self.disk else {
            return std::future::pending().await;
        };
        loop {
            self.looks.tick().await;
            if disk.usage().is_ok_and(|usage| is_full(usage, self.limit)) {
                self.full = true;
                return;
            }
        }
    }

    /// Whether it was full while the step ran, or is now.
    pub fn was_full(&self) -> bool {
        let now = || {
            self.disk
                .is_some_and(|disk| disk.usage().is_ok_and(|usage| is_full(usage, self.limit)))
        };
        self.full || now()
    }
}

fn is_full(usage: Usage, limit: u64) -> bool {
    usage.used > limit || usage.free < FULL_BYTES || usage.free_files < FULL_FILES || usage.free_below < FULL_BELOW
}
