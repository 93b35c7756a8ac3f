//! The cache of a remote: made whole or not at all, and usable again whatever a git left in it that was killed.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use super::command::run;
use super::remote::Remote;
use crate::error::ForgeError;

/// How long a git that outlived the run which began it may hold a lock in the cache. Git holds one for the moment in
/// which it moves a ref: what is older was left behind by a git that was killed.
const HELD: Duration = Duration::from_secs(10);

/// Pause between looks at a lock.
const POLL: Duration = Duration::from_millis(50);

/// Folders below `refs` that are looked into: names of branches have few parts.
const MAX_DEPTH: usize = 16;

/// Brings a bare cache repository up to date with all branches of a remote; makes it when there is none.
///
/// # Errors
/// When the remote is refused, gone or out of reach.
pub fn fetch_mirror(remote: &str, cache: &Path) -> Result<(), ForgeError> {
    fetch_past_locks(remote, cache, HELD)
}

/// `held`: see [`HELD`].
pub(super) fn fetch_past_locks(remote: &str, cache: &Path, held: Duration) -> Result<(), ForgeError> {
    let remote = Remote::parse(remote)?;
    if !cache.join("HEAD").exists() {
        make(cache)?;
    }
    match fetch(&remote, cache) {
        // Somebody else wrote, or did once.
        Err(ForgeError::Git { output, .. }) if output.contains("lock") => {
            unlock(cache, held)?;
            fetch(&remote, cache)
        }
        fetched => fetched,
    }
}

fn fetch(remote: &Remote, cache: &Path) -> Result<(), ForgeError> {
    run(
        Some(cache),
        "fetching",
        [
            "fetch",
            "--quiet",
            "--prune",
            "--no-tags",
            "--force",
            "--no-write-fetch-head",
            "--no-recurse-submodules",
            "--",
            remote.as_str(),
            "+refs/heads/*:refs/heads/*",
        ],
    )
    .map(drop)
}

/// Makes an empty cache beside its place and moves it there: whoever is killed leaves none, or a whole one.
fn make(cache: &Path) -> Result<(), ForgeError> {
    let cache = std::path::absolute(cache).map_err(ForgeError::io("finding the cache"))?;
    if cache.exists() {
        return init(&cache);
    }
    let beside = cache.with_extension("making");
    if beside.exists() {
        std::fs::remove_dir_all(&beside).map_err(ForgeError::io("removing a half-made cache"))?;
    }
    std::fs::create_dir_all(&beside).map_err(ForgeError::io("making the cache folder"))?;
    init(&beside)?;
    std::fs::rename(&beside, &cache).map_err(ForgeError::io("making the cache"))
}

fn init(folder: &Path) -> Result<(), ForgeError> {
    let arguments = ["init", "--quiet", "--bare", "--template=", "--"].map(OsString::from);
    let arguments = arguments.into_iter().chain([folder.into()]);
    run(None, "making the cache", arguments).map(drop)
}

/// Waits until nobody holds a lock, and takes away those that nobody can hold any more.
fn unlock(cache: &Path, held: Duration) -> Result<(), ForgeError> {
    let begun = Instant::now();
    let first = locks(cache);
    loop {
        let now = locks(cache);
        let same: Vec<&PathBuf> = (now.iter())
            .filter(|(path, since)| first.get(*path) == Some(*since))
            .map(|(path, _)| path)
            .collect();
        if same.is_empty() {
            return Ok(());
        }
        if begun.elapsed() >= held {
            for path in same {
                tracing::warn!("`{}` was left by a git that was killed, and is removed", path.display());
                match std::fs::remove_file(path) {
                    Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                        return Err(ForgeError::io("removing a lock that was left behind")(error));
                    }
                    _ => {}
                }
            }
            return Ok(());
        }
        std::thread::sleep(POLL);
    }
}

/// Locks on refs and on the files beside them, and when each was made.
fn locks(cache: &Path) -> BTreeMap<PathBuf, SystemTime> {
    let mut locks = BTreeMap::new();
    let mut folders = vec![(cache.to_owned(), 0), (cache.join("refs"), 1)];
    while let Some((folder, depth)) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let (path, Ok(about)) = (entry.path(), entry.metadata()) else {
                continue;
            };
            if about.is_dir() && (1..MAX_DEPTH).contains(&depth) {
                folders.push((path, depth + 1));
            } else if about.is_file() && path.extension().is_some_and(|end| end == "lock") {
                locks.extend(about.modified().ok().map(|since| (path, since)));
            }
        }
    }
    locks
}
