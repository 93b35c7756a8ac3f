//! Baselines that are kept: what was found out about each, in a folder, and the snapshot that candidates
//! start from, in the sandbox. Named by the digest of all that went into them.
//!
//! Several processes may share a folder. Each key has a lock file: whoever uses the baseline holds it
//! shared, whoever removes it exclusively, and never waits for it.

use holdpoint_schemas::estate::CacheConfig;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fs::{File, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::error::SandboxError;
use crate::plan::SideRecord;
use crate::sandbox::Sandbox;
use crate::sandbox::snapshot::SnapshotKey;
use crate::validate::Baseline;

/// Of the records' form: one of another form is of no use.
const FORM: u32 = 1;
/// Largest record read. Replayed answers are most of it.
const MAX_RECORD_BYTES: u64 = 256 << 20;
/// Between two tries to hold what is being removed.
const RETRY: Duration = Duration::from_millis(20);
/// Most records of one folder that are looked at.
const MAX_RECORDS: usize = 100_000;

/// Why the cache can't be used.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// The folder can't be read or written.
    #[error("the cache of baselines at `{}` can't be used: {source}", folder.display())]
    Folder {
        /// Where it is.
        folder: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The sandbox can't list or remove snapshots.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
}

/// A folder of baselines.
#[derive(Debug, Clone)]
pub struct Cache {
    folder: PathBuf,
    config: CacheConfig,
}

/// Keeps a baseline from being removed, by any process, for as long as it lives.
#[derive(Debug)]
pub struct Hold {
    _lock: File,
}

/// What was removed and what stays.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Evicted {
    /// Baselines removed.
    pub removed: usize,
    /// Baselines that stay.
    pub kept: usize,
    /// Disk that their snapshots take, in bytes.
    pub bytes: u64,
}

/// A record as it is written.
#[derive(Debug, Serialize, Deserialize)]
struct Stored {
    form: u32,
    key: SnapshotKey,
    snapshot: bool,
    record: SideRecord,
}

impl Cache {
    /// Opens a folder, and makes it if it isn't there.
    ///
    /// # Errors
    /// When that can't be done.
    pub fn open(folder: impl Into<PathBuf>, config: CacheConfig) -> Result<Self, CacheError> {
        let cache = Self {
            folder: folder.into(),
            config,
        };
        std::fs::create_dir_all(&cache.folder).map_err(|error| cache.failed(error))?;
        Ok(cache)
    }

    /// The baseline with this key. One that can't be read counts as not there, and is removed. To be called while
    /// it is held; its snapshot may have gone all the same, which the sandbox says when it is asked to branch.
    #[must_use]
    pub fn get(&self, key: &SnapshotKey) -> Option<Baseline> {
        let path = self.record(key);
        match self.read(key) {
            Ok(Some(stored)) => {
                // Its date says when it was last used.
                let used = File::options().append(true).open(&path);
                if let Err(error) = used.and_then(|file| file.set_modified(SystemTime::now())) {
                    tracing::debug!("`{}` keeps its date: {error}", path.display());
                }
                Some(Baseline {
                    record: stored.record,
                    snapshot: stored.snapshot.then(|| key.clone()),
                })
            }
            Ok(None) => None,
            Err(error) => {
                tracing::warn!("`{}` is of no use and is removed: {error}", path.display());
                self.forget(key);
                None
            }
        }
    }

    /// Keeps a baseline. It is there as a whole or not at all.
    ///
    /// # Errors
    /// When the folder can't be written.
    pub fn put(&self, key: &SnapshotKey, baseline: &Baseline) -> Result<(), CacheError> {
        if self.config.max_mib == 0 || self.config.max_entries == 0 {
            return Ok(());
        }
        let stored = Stored {
            form: FORM,
            key: key.clone(),
            snapshot: baseline.snapshot.is_some(),
            record: baseline.record.clone(),
        };
        let half = self.folder.join(format!("{key}.{}.half", std::process::id()));
        let written = (|| {
            let json = serde_json::to_vec(&stored)?;
            let mut file = File::create(&half)?;
            file.write_all(&json)?;
            file.sync_data()?;
            std::fs::rename(&half, self.record(key))
        })();
        written.map_err(|error| {
            let _ = std::fs::remove_file(&half);
            self.failed(error)
        })
    }

    /// Forgets what was found out about a baseline: its snapshot turned out to be gone, for example.
    pub fn forget(&self, key: &SnapshotKey) {
        let path = self.record(key);
        if let Err(error) = std::fs::remove_file(&path)
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!("`{}` stays: {error}", path.display());
        }
    }

    /// Holds a baseline, whether it is there already or is about to be made. Waits while it is being removed.
    ///
    /// # Errors
    /// When the folder can't be written.
    pub async fn hold(&self, key: &SnapshotKey) -> Result<Hold, CacheError> {
        loop {
            let lock = self.lock_file(key).map_err(|error| self.failed(error))?;
            match lock.try_lock_shared() {
                // The file may have been removed, and another one made, between open and lock.
                Ok(()) if is_still(&lock, &self.lock_path(key)) => return Ok(Hold { _lock: lock }),
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => tokio::time::sleep(RETRY).await,
                Err(TryLockError::Error(error)) => return Err(self.failed(error)),
            }
        }
    }

    /// Removes what is longest unused until the bounds are kept, and what is of no use. What is held stays.
    ///
    /// # Errors
    /// When the folder can't be read, or the sandbox can't list its snapshots.
    pub async fn evict(&self, sandbox: &dyn Sandbox) -> Result<Evicted, CacheError> {
        let limits = Bounds {
            bytes: self.config.max_mib.saturating_mul(1 << 20),
            entries: self.config.max_entries,
        };
        self.shrink(sandbox, limits).await
    }

    /// Removes every baseline that isn't held.
    ///
    /// # Errors
    /// When the folder can't be read, or the sandbox can't list its snapshots.
    pub async fn clear(&self, sandbox: &dyn Sandbox) -> Result<Evicted, CacheError> {
        self.shrink(sandbox, Bounds { bytes: 0, entries: 0 }).await
    }

    async fn shrink(&self, sandbox: &dyn Sandbox, bounds: Bounds) -> Result<Evicted, CacheError> {
        let snapshots = sandbox.snapshots().await?;
        let mut keys = self.keys().map_err(|error| self.failed(error))?;
        let mut entries = Vec::new();
        while let Some(key) = keys.pop_first() {
            let snapshot = snapshots.iter().find(|info| info.key == key);
            let stored = self.read(&key).ok().flatten();
            let used = std::fs::metadata(self.record(&key)).and_then(|data| data.modified());
            entries.push(Entry {
                bytes: snapshot.map_or(0, |info| info.bytes),
                // A record without its snapshot, a snapshot without its record (its process was killed
                // in between) and a lock of neither.
                useless: !stored.is_some_and(|stored| !stored.snapshot || snapshot.is_some()),
                used: used.unwrap_or(SystemTime::UNIX_EPOCH),
                key,
            });
        }
        entries.sort_by(|a, b| (b.useless, a.used, &a.key).cmp(&(a.useless, b.used, &b.key)));
        let mut evicted = Evicted {
            kept: entries.len(),
            bytes: entries.iter().map(|entry| entry.bytes).sum(),
            removed: 0,
        };
        for entry in entries {
            let within = evicted.kept <= bounds.entries && evicted.bytes <= bounds.bytes;
            if (within && !entry.useless) || !self.remove(sandbox, &entry.key).await? {
                continue;
            }
            evicted.removed += 1;
            evicted.kept -= 1;
            evicted.bytes -= entry.bytes;
        }
        Ok(evicted)
    }

    /// Removes a baseline, unless it is held or its snapshot is in use.
    async fn remove(&self, sandbox: &dyn Sandbox, key: &SnapshotKey) -> Result<bool, CacheError> {
        let lock = self.lock_file(key).map_err(|error| self.failed(error))?;
        match lock.try_lock() {
            Ok(()) if is_still(&lock, &self.lock_path(key)) => {}
            Ok(()) | Err(TryLockError::WouldBlock) => return Ok(false),
            Err(TryLockError::Error(error)) => return Err(self.failed(error)),
        }
        // The snapshot first: a record alone is found out by the next branch, a snapshot alone by nobody.
        match sandbox.drop_snapshot(key).await {
            Ok(()) => {}
            Err(SandboxError::InUse(_)) => return Ok(false),
            Err(error) => return Err(error.into()),
        }
        self.forget(key);
        let _ = std::fs::remove_file(self.lock_path(key));
        Ok(true)
    }

    /// Keys with a record or a lock. Half-written records of processes that were killed are removed.
    fn keys(&self) -> io::Result<BTreeSet<SnapshotKey>> {
        let mut keys = BTreeSet::new();
        for entry in std::fs::read_dir(&self.folder)?.take(MAX_RECORDS) {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if name.ends_with(".half") {
                let old = path.metadata().and_then(|data| data.modified());
                if old.is_ok_and(|date| date.elapsed().is_ok_and(|age| age > Duration::from_secs(3600))) {
                    let _ = std::fs::remove_file(&path);
                }
                continue;
            }
            let stem = name.strip_suffix(".json").or_else(|| name.strip_suffix(".lock"));
            keys.extend(stem.and_then(|stem| SnapshotKey::new(stem).ok()));
        }
        Ok(keys)
    }

    fn read(&self, key: &SnapshotKey) -> io::Result<Option<Stored>> {
        let file = match File::open(self.record(key)) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut json = Vec::new();
        file.take(MAX_RECORD_BYTES).read_to_end(&mut json)?;
        let stored: Stored = serde_json::from_slice(&json)?;
        if stored.form != FORM || stored.key != *key {
            return Err(io::Error::other("it is another one's"));
        }
        Ok(Some(stored))
    }

    fn record(&self, key: &SnapshotKey) -> PathBuf {
        self.folder.join(format!("{key}.json"))
    }

    fn lock_path(&self, key: &SnapshotKey) -> PathBuf {
        self.folder.join(format!("{key}.lock"))
    }

    fn lock_file(&self, key: &SnapshotKey) -> io::Result<File> {
        let mut options = File::options();
        options.write(true).create(true).truncate(false);
        options.open(self.lock_path(key))
    }

    fn failed(&self, source: io::Error) -> CacheError {
        CacheError::Folder {
            folder: self.folder.clone(),
            source,
        }
    }
}

struct Bounds {
    bytes: u64,
    entries: usize,
}

struct Entry {
    key: SnapshotKey,
    bytes: u64,
    used: SystemTime,
    useless: bool,
}

fn is_still(file: &File, path: &Path) -> bool {
    let (Ok(open), Ok(there)) = (file.metadata(), path.metadata()) else {
        return false;
    };
    (open.dev(), open.ino()) == (there.dev(), there.ino())
}

#[cfg(test)]
mod tests;
