//! The root folder: slots of this and other processes, each with a record of who owns it, and snapshots.
//!
//! ```text
//! lock                        taken while slots turn into snapshots, and back
//! slots/<name>.json           who owns it, and the snapshot that it starts from
//! slots/<name>/               a workspace, or a process's view of the host
//! snapshots/<key>/            complete as soon as it is there
//! ```

use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::{disk, failed};
use crate::error::SandboxError;
use crate::sandbox::owner::{self, Owner};
use crate::sandbox::snapshot::SnapshotKey;

/// Record of a slot.
#[derive(Debug, Serialize, Deserialize)]
struct Record {
    labels: HashMap<String, String>,
    #[serde(default)]
    snapshot: Option<SnapshotKey>,
}

/// The root folder, as this process uses it.
#[derive(Debug)]
pub(super) struct Store {
    root: PathBuf,
    owner: Owner,
    run: String,
}

impl Store {
    /// Opens the root folder, and makes it if it isn't there.
    pub(super) fn open(root: &Path, run: String) -> Result<Self, SandboxError> {
        let bad = |reason: String| SandboxError::BadRoot {
            root: root.to_owned(),
            reason,
        };
        fs::create_dir_all(root).map_err(|error| bad(error.to_string()))?;
        let root = fs::canonicalize(root).map_err(|error| bad(error.to_string()))?;
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte);
        if !root.as_os_str().as_encoded_bytes().iter().all(|byte| plain(*byte)) {
            return Err(bad(
                "its path may have letters, digits, `/`, `.`, `_` and `-` only".to_owned()
            ));
        }
        let mine = fs::metadata(&root).map_err(|error| bad(error.to_string()))?;
        if mine.uid() != rustix::process::geteuid().as_raw() {
            return Err(bad("it belongs to somebody else".to_owned()));
        }
        let store = Self {
            root,
            owner: Owner::this_process().map_err(SandboxError::NoOwner)?,
            run,
        };
        // The sandbox's user passes through, but lists nothing.
        let passable = fs::Permissions::from_mode(0o711);
        for folder in [&store.root, &store.slots(), &store.snapshots()] {
            fs::create_dir_all(folder)
                .and_then(|()| fs::set_permissions(folder, passable.clone()))
                .map_err(|error| bad(error.to_string()))?;
        }
        if rustix::process::geteuid().is_root() {
            store.check_passable().map_err(bad)?;
        }
        Ok(store)
    }

    fn check_passable(&self) -> Result<(), String> {
        for folder in self.root.ancestors() {
            let mode = fs::metadata(folder).map_err(|error| error.to_string())?.mode();
            if mode & 0o001 == 0 {
                return Err(format!(
                    "others can't pass through `{}`, and steps run as another user; choose a folder elsewhere",
                    folder.display()
                ));
            }
        }
        Ok(())
    }

    fn slots(&self) -> PathBuf {
        self.root.join("slots")
    }

    fn snapshots(&self) -> PathBuf {
        self.root.join("snapshots")
    }

    fn record(&self, name: &str) -> PathBuf {
        self.slots().join(format!("{name}.json"))
    }

    pub(super) fn slot(&self, name: &str) -> PathBuf {
        self.slots().join(name)
    }

    pub(super) fn snapshot(&self, key: &SnapshotKey) -> PathBuf {
        self.snapshots().join(key.as_str())
    }

    /// Makes a slot that no other process or sandbox has.
    pub(super) fn new_slot(&self, snapshot: Option<SnapshotKey>) -> Result<String, SandboxError> {
        static COUNTER: AtomicU64 = AtomicU64::new(0);
        let count = COUNTER.fetch_add(1, Ordering::Relaxed);
        let name = format!("holdpoint-{}-{count}", self.owner.unique());
        let record = Record {
            labels: self.owner.labels(&self.run),
            snapshot,
        };
        let what = failed("make a folder");
        let json = serde_json::to_vec(&record).map_err(|error| what(error.into()))?;
        // Complete when it appears, and before the folder: a folder without a record would never be swept.
        let fresh = self.slots().join(format!(".{name}"));
        fs::write(&fresh, json)
            .and_then(|()| fs::rename(&fresh, self.record(&name)))
            .and_then(|()| fs::create_dir(self.slot(&name)))
            .and_then(|()| fs::set_permissions(self.slot(&name), fs::Permissions::from_mode(0o711)))
            .map_err(what)?;
        Ok(name)
    }

    /// Removes a slot with all that is mounted in it. One that isn't there is no error.
    pub(super) fn discard(&self, name: &str) -> io::Result<()> {
        disk::unmount_below(&self.slot(name))?;
        gone(fs::remove_dir_all(self.slot(name)))?;
        self.forget(name)
    }

    /// Removes the record of a slot whose folder is gone.
    pub(super) fn forget(&self, name: &str) -> io::Result<()> {
        gone(fs::remove_file(self.record(name)))
    }

    /// Keeps other threads and processes out while slots and snapshots change; until it is dropped.
    pub(super) fn lock(&self) -> io::Result<File> {
        let file = File::options().create(true).append(true).open(self.root.join("lock"))?;
        flock(&file, FlockOperation::LockExclusive)?;
        Ok(file)
    }

    fn records(&self) -> io::Result<Vec<(String, Record)>> {
        let mut records = Vec::new();
        for entry in fs::read_dir(self.slots())? {
            let path = entry?.path();
            let name = path.file_stem().and_then(|name| name.to_str()).map(str::to_owned);
            let Some(name) = name.filter(|_| path.extension().is_some_and(|extension| extension == "json")) else {
                continue;
            };
            // One that goes away meanwhile, or can't be read, belongs to somebody.
            let record = fs::read(&path).ok().and_then(|json| serde_json::from_slice(&json).ok());
            records.extend(record.map(|record| (name, record)));
        }
        Ok(records)
    }

    /// Slots whose owner is certainly gone.
    pub(super) fn dead(&self) -> io::Result<Vec<String>> {
        let records = self.records()?.into_iter();
        Ok(records
            .filter(|(_, record)| owner::is_gone(&record.labels, &self.owner))
            .map(|(name, _)| name)
            .collect())
    }

    /// Whether a slot starts from this snapshot.
    pub(super) fn in_use(&self, key: &SnapshotKey) -> io::Result<bool> {
        Ok(self
            .records()?
            .iter()
            .any(|(_, record)| record.snapshot.as_ref() == Some(key)))
    }

    /// Keys of the snapshots that are there.
    pub(super) fn snapshot_keys(&self) -> io::Result<Vec<SnapshotKey>> {
        let mut keys = Vec::new();
        for entry in fs::read_dir(self.snapshots())? {
            let name = entry?.file_name();
            keys.extend(name.to_str().and_then(|name| SnapshotKey::new(name).ok()));
        }
        keys.sort();
        Ok(keys)
    }
}

/// What isn't there needs no removal.
fn gone(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root() -> tempfile::TempDir {
        tempfile::tempdir().unwrap()
    }

    #[test]
    fn slots_of_live_owners_are_not_dead_and_those_of_an_earlier_boot_are() {
        let folder = root();
        let store = Store::open(folder.path(), "r".to_owned()).unwrap();
        let name = store.new_slot(None).unwrap();
        assert!(store.dead().unwrap().is_empty());
        let record = fs::read_to_string(store.record(&name)).unwrap();
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
        fs::write(store.record(&name), record.replace(boot.trim(), "earlier")).unwrap();
        assert_eq!(store.dead().unwrap(), [name.clone()]);
        store.discard(&name).unwrap();
        store.discard(&name).unwrap();
        assert!(store.dead().unwrap().is_empty());
        assert!(!store.slot(&name).exists());
    }

    #[test]
    fn a_snapshot_is_in_use_as_long_as_a_slot_starts_from_it() {
        let folder = root();
        let store = Store::open(folder.path(), "r".to_owned()).unwrap();
        let key = SnapshotKey::new("0123456789abcdef").unwrap();
        let name = store.new_slot(Some(key.clone())).unwrap();
        assert!(store.in_use(&key).unwrap());
        store.discard(&name).unwrap();
        assert!(!store.in_use(&key).unwrap());
    }

    #[test]
    fn a_root_whose_name_could_change_a_mounts_options_is_refused() {
        let folder = root();
        let error = Store::open(&folder.path().join("a,b"), "r".to_owned()).unwrap_err();
        assert!(matches!(error, SandboxError::BadRoot { .. }), "{error}");
    }
}
