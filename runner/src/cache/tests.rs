use super::*;
use crate::sandbox::control::{Controls, IsolationReport};
use crate::sandbox::snapshot::SnapshotInfo;
use crate::sandbox::{OnLine, StepOutcome, StepSpec, Swept, WorkspaceId};
use async_trait::async_trait;
use holdpoint_schemas::evidence::{Isolation, Side, StepEnd};
use std::sync::Mutex;

/// A sandbox that only has snapshots, of 1 MiB each.
#[derive(Default)]
struct Snapshots {
    there: Mutex<BTreeSet<SnapshotKey>>,
    in_use: BTreeSet<SnapshotKey>,
}

#[async_trait]
impl Sandbox for Snapshots {
    fn describe(&self) -> String {
        String::new()
    }
    fn isolation(&self) -> IsolationReport {
        IsolationReport {
            kind: Isolation::Unproven,
            engine: String::new(),
            controls: Controls::default(),
        }
    }
    async fn workspace(&self, _: &[u8]) -> Result<WorkspaceId, SandboxError> {
        Err(SandboxError::NoSnapshots)
    }
    async fn snapshots(&self) -> Result<Vec<SnapshotInfo>, SandboxError> {
        let there = self.there.lock().unwrap();
        Ok(there
            .iter()
            .cloned()
            .map(|key| SnapshotInfo { key, bytes: 1 << 20 })
            .collect())
    }
    async fn drop_snapshot(&self, key: &SnapshotKey) -> Result<(), SandboxError> {
        if self.in_use.contains(key) {
            return Err(SandboxError::InUse(key.to_string()));
        }
        self.there.lock().unwrap().remove(key);
        Ok(())
    }
    async fn run(&self, _: &WorkspaceId, _: &StepSpec, _: OnLine<'_>) -> StepOutcome {
        StepOutcome {
            end: StepEnd::Killed,
            millis: 0,
            tail: String::new(),
            captured: Vec::new(),
            capture_cut: false,
        }
    }
    async fn read_file(&self, _: &WorkspaceId, _: &str, _: usize) -> Result<Option<Vec<u8>>, SandboxError> {
        Ok(None)
    }
    async fn remove(&self, _: WorkspaceId) -> Result<(), SandboxError> {
        Ok(())
    }
    async fn sweep(&self) -> Result<Swept, SandboxError> {
        Ok(Swept::default())
    }
}

fn key(digit: char) -> SnapshotKey {
    SnapshotKey::new(digit.to_string().repeat(16)).unwrap()
}

fn baseline(key: &SnapshotKey) -> Baseline {
    Baseline {
        record: SideRecord::new(Side::Baseline, "docker".to_owned(), Isolation::Container),
        snapshot: Some(key.clone()),
    }
}

struct Kept {
    cache: Cache,
    sandbox: Snapshots,
    _folder: tempfile::TempDir,
}

/// Baselines `a`, `b`, `c`, used in this order, in a cache of at most these.
fn kept(max_mib: u64, max_entries: usize) -> Kept {
    let folder = tempfile::tempdir().unwrap();
    let cache = Cache::open(folder.path().join("cache"), CacheConfig { max_mib, max_entries }).unwrap();
    let sandbox = Snapshots::default();
    for (seconds, digit) in (1..).zip(['a', 'b', 'c']) {
        let key = key(digit);
        cache.put(&key, &baseline(&key)).unwrap();
        sandbox.there.lock().unwrap().insert(key.clone());
        if let Ok(file) = File::options().append(true).open(cache.record(&key)) {
            file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
                .unwrap();
        }
    }
    Kept {
        cache,
        sandbox,
        _folder: folder,
    }
}

fn left(kept: &Kept) -> Vec<char> {
    let there = kept.sandbox.there.lock().unwrap();
    let digits = there.iter().map(|key| key.as_str().chars().next().unwrap());
    digits.collect()
}

#[test]
fn what_is_put_is_got_and_what_is_not_is_not() {
    let kept = kept(100, 100);
    assert_eq!(kept.cache.get(&key('a')), Some(baseline(&key('a'))));
    assert_eq!(kept.cache.get(&key('d')), None);
    kept.cache.forget(&key('a'));
    assert_eq!(kept.cache.get(&key('a')), None);
}

#[test]
fn a_broken_record_or_one_of_another_key_is_ignored_and_removed() {
    let kept = kept(100, 100);
    let whole = std::fs::read(kept.cache.record(&key('a'))).unwrap();
    for broken in [&whole[..whole.len() / 2], b"{}", b""] {
        std::fs::write(kept.cache.record(&key('a')), broken).unwrap();
        assert_eq!(kept.cache.get(&key('a')), None);
        assert!(!kept.cache.record(&key('a')).exists());
    }
    std::fs::write(kept.cache.record(&key('b')), whole).unwrap();
    assert_eq!(kept.cache.get(&key('b')), None);
}

#[tokio::test]
async fn the_longest_unused_goes_first_by_number_and_by_size() {
    let by_number = kept(100, 2);
    by_number.cache.get(&key('a')).unwrap();
    let evicted = by_number.cache.evict(&by_number.sandbox).await.unwrap();
    assert_eq!((evicted.removed, evicted.kept, evicted.bytes), (1, 2, 2 << 20));
    assert_eq!(left(&by_number), ['a', 'c']);
    assert_eq!(by_number.cache.get(&key('b')), None);

    let by_size = kept(1, 100);
    by_size.cache.evict(&by_size.sandbox).await.unwrap();
    assert_eq!(left(&by_size), ['c']);
}

#[tokio::test]
async fn what_is_held_or_in_use_stays() {
    let mut kept = kept(100, 100);
    kept.sandbox.in_use.insert(key('b'));
    let hold = kept.cache.hold(&key('a')).await.unwrap();
    let also = kept.cache.hold(&key('a')).await.unwrap();
    kept.cache.clear(&kept.sandbox).await.unwrap();
    assert_eq!(left(&kept), ['a', 'b']);
    assert!(kept.cache.get(&key('a')).is_some() && kept.cache.get(&key('b')).is_some());

    drop((hold, also));
    kept.sandbox.in_use.clear();
    let cleared = kept.cache.clear(&kept.sandbox).await.unwrap();
    assert_eq!((cleared.kept, cleared.bytes), (0, 0));
    assert!(left(&kept).is_empty());
    assert_eq!(std::fs::read_dir(&kept.cache.folder).unwrap().count(), 0);
}

#[tokio::test]
async fn halves_are_removed_whichever_is_missing_but_not_what_is_being_made() {
    let kept = kept(100, 100);
    kept.sandbox.there.lock().unwrap().remove(&key('a'));
    let (made, killed, other) = (key('d'), key('e'), key('f'));
    kept.sandbox
        .there
        .lock()
        .unwrap()
        .extend([made.clone(), killed.clone(), other]);
    drop(kept.cache.hold(&killed).await.unwrap());
    let hold = kept.cache.hold(&made).await.unwrap();
    kept.cache.evict(&kept.sandbox).await.unwrap();
    // `f` was never held here: it is another folder's.
    assert_eq!(left(&kept), ['b', 'c', 'd', 'f']);
    assert_eq!(kept.cache.get(&key('a')), None);
    drop(hold);
}

#[test]
fn a_cache_of_nothing_keeps_nothing() {
    let kept = kept(0, 100);
    assert_eq!(kept.cache.get(&key('a')), None);
}
