//! Looks at the disk of a step while it runs: at its own file system where it has one, else through a
//! container beside it that measures the store.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Interval, MissedTickBehavior, interval};

use super::DockerSandbox;
use super::disk::{Disk, Usage};
use super::ending::Stop;
use super::layer::STORE_DIR;
use super::workspace::{Workspace, volume_mount};
use crate::sandbox::Limits;
use crate::sandbox::control::Control;

/// Between two looks: a disk takes some 100 MB in it.
const LOOK: Duration = Duration::from_millis(100);
/// A disk with less than this left is full: what needs more has failed.
const FULL_BYTES: u64 = 64 << 10;
/// The same of files.
const FULL_FILES: u64 = 8;
/// Below this the file system under all disks is full.
const FULL_BELOW: u64 = 64 << 20;

/// What measures a store from outside, until it is too large.
type Measuring<'a> = Pin<Box<dyn Future<Output = Stop> + Send + 'a>>;

/// A step's disk, and whether it was ever full.
pub(super) struct Watch<'a> {
    disk: Option<&'a Disk>,
    measuring: Option<Measuring<'a>>,
    limit: u64,
    full: bool,
    looks: Interval,
}

impl DockerSandbox {
    /// Whether a store can be measured through the engine: what the image has to have for it.
    pub(super) async fn can_measure(&self) -> bool {
        let body = self.own_step(format!("{} && sleep 0", measure("/tmp")), Vec::new());
        let (end, _) = self.run_own(body, Duration::from_secs(60), 4096).await;
        end.is_success()
    }

    pub(super) fn watch<'a>(&'a self, workspace: &'a Arc<Workspace>, limits: &Limits) -> Watch<'a> {
        if !self.rules.controls.has(Control::DiskBound) {
            return Watch::nothing();
        }
        let limit = limits.disk_mib.saturating_mul(1 << 20);
        let measuring = workspace.disk.is_none().then(|| self.measuring(workspace, limit));
        Watch::of(workspace.disk.as_ref(), measuring, limit)
    }

    fn measuring<'a>(&'a self, workspace: &'a Arc<Workspace>, limit: u64) -> Measuring<'a> {
        let folder = if self.layers { "layer" } else { "tree" };
        let script = format!(
            "while :; do {}; sleep 1; done",
            measure(&format!("{STORE_DIR}/{folder}"))
        );
        let body = self.own_step(script, vec![volume_mount(&workspace.store(), STORE_DIR, true)]);
        Box::pin(async move {
            let too_large = Notify::new();
            let on_line = |line: &str| {
                let kib = line.split_whitespace().next().and_then(|kib| kib.parse::<u64>().ok());
                if kib.is_some_and(|kib| kib.saturating_mul(1024) > limit) {
                    too_large.notify_one();
                }
            };
            tokio::select! {
                () = too_large.notified() => Stop::DiskFull,
                end = self.run_beside(workspace, body, &on_line) => {
                    Stop::Lost(format!("its disk could not be watched: {}", crate::verdict::describe_end(&end)))
                }
            }
        })
    }
}

/// Prints the size of a folder in KiB, with at least four of them for each file: many empty ones are a
/// flood too.
fn measure(folder: &str) -> String {
    format!(
        "set -- $(du -sk {folder}); kib=$1; set -- $(find {folder} | wc -l); \
         [ $(($1 * 4)) -gt $kib ] && kib=$(($1 * 4)); echo $kib"
    )
}

impl<'a> Watch<'a> {
    pub fn nothing() -> Self {
        Self::of(None, None, u64::MAX)
    }

    fn of(disk: Option<&'a Disk>, measuring: Option<Measuring<'a>>, limit: u64) -> Self {
        let mut looks = interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            disk,
            measuring,
            limit,
            full: false,
            looks,
        }
    }

    /// Ends when the disk is full; never without a disk. May be dropped and begun again.
    pub async fn until_full(&mut self) -> Stop {
        let Some(disk) = self.disk else {
            return match &mut self.measuring {
                Some(measuring) => measuring.await,
                None => std::future::pending().await,
            };
        };
        loop {
            self.looks.tick().await;
            if disk.usage().is_ok_and(|usage| is_full(usage, self.limit)) {
                self.full = true;
                return Stop::DiskFull;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_is_full_by_bytes_by_files_and_when_the_one_below_is() {
        let room = Usage {
            used: 10 << 20,
            free: 90 << 20,
            free_files: 1000,
            free_below: 1 << 30,
        };
        assert!(!is_full(room, 100 << 20));
        assert!(is_full(room, 9 << 20));
        for full in [
            Usage { free: 0, ..room },
            Usage { free_files: 0, ..room },
            Usage { free_below: 0, ..room },
        ] {
            assert!(is_full(full, 100 << 20), "{full:?}");
        }
    }
}
