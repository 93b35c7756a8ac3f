//! The archives that fill a workspace's store. Pure.
//!
//! A store has three parts. `tree` holds the repo's tree as it came; `layer` holds what the steps
//! change, as the upper layer of an overlay; `paths` lists the tree. A snapshot's own tree is laid *over*
//! what its build left: so a tracked file that the build changed, removed or replaced by a link is,
//! for every candidate, what the base commit says.

use std::collections::BTreeSet;
use std::io::{self, Read as _};
use std::path::{Component, Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};
use tar::{Archive, Builder, EntryType, Header};

use crate::error::SandboxError;
use crate::sandbox::SANDBOX_UID;
use crate::sandbox::snapshot::TreeChange;
use crate::sandbox::tree::{self, TreeError};

/// Where a writer sees its workspace's store.
pub(super) const STORE_DIR: &str = "/store";
/// Where a writer sees the store of the snapshot that its workspace starts from.
pub(super) const SNAPSHOT_DIR: &str = "/snapshot";
/// The repo's tree as it came, below a store.
pub(super) const TREE: &str = "tree/workspace";
/// What steps change, below a store.
pub(super) const LAYER: &str = "layer/workspace";
/// What overlayfs needs beside it.
pub(super) const WORK: &str = "layer/work";
/// Every path of the tree, each ended by a zero byte.
pub(super) const PATHS: &str = "paths";
/// The same for a shell: a line each.
pub(super) const PATH_LINES: &str = "path-lines";

/// What a tree becomes in a new store.
pub(super) struct TreeLayer {
    /// To be unpacked at `/` of a writer.
    pub archive: Vec<u8>,
    /// Folders and files of the tree, in the order of [`PATH_LINES`].
    pub paths: Vec<PathBuf>,
}

/// A repo's tree for a new store, with an empty layer over it.
pub(super) fn of_tree(tar: &[u8], now: SystemTime) -> Result<TreeLayer, SandboxError> {
    let repacked = tree::repack(tar, now)?;
    let mut out = Builder::new(Vec::with_capacity(repacked.len() + 4096));
    let mut paths = Vec::new();
    let made = (|| -> io::Result<()> {
        empty_layer(&mut out, now)?;
        folder(&mut out, Path::new("store/tree"), now)?;
        paths = copy_under(&mut out, Path::new("store/tree"), &repacked, None, |_| true)?;
        let zeroed: Vec<u8> = paths.iter().flat_map(|path| [bytes_of(path), b"\0"].concat()).collect();
        // A shell can't read a name with a line break; such a file counts as changed (`changed_paths`).
        let lines: Vec<u8> = paths
            .iter()
            .flat_map(|path| [if has_break(path) { b"." } else { bytes_of(path) }, b"\n"].concat())
            .collect();
        plain_file(&mut out, &format!("store/{PATHS}"), &zeroed)?;
        plain_file(&mut out, &format!("store/{PATH_LINES}"), &lines)
    })();
    made.map_err(TreeError::from)?;
    let archive = out.into_inner().map_err(TreeError::from)?;
    Ok(TreeLayer { archive, paths })
}

/// Those files of a tree that the build changed, as they came but dated now: newer than whatever the
/// build made of the changed ones.
pub(super) fn again(tar: &[u8], changed: &BTreeSet<PathBuf>, now: SystemTime) -> Result<Vec<u8>, SandboxError> {
    let repacked = tree::repack(tar, now)?;
    let mut out = Builder::new(Vec::new());
    copy_under(&mut out, Path::new("store/tree"), &repacked, Some(now), |path| {
        path.ancestors().any(|above| changed.contains(above))
    })
    .map_err(TreeError::from)?;
    Ok(out.into_inner().map_err(TreeError::from)?)
}

/// The paths that a shell counted as changed, by line number from 1.
pub(super) fn changed_paths(paths: &[PathBuf], listed: &[u8]) -> BTreeSet<PathBuf> {
    let text = String::from_utf8_lossy(listed);
    let numbers = text.lines().filter_map(|line| line.trim().parse::<usize>().ok());
    let listed = numbers.filter_map(|number| paths.get(number.checked_sub(1)?));
    listed
        .chain(paths.iter().filter(|path| has_break(path)))
        .cloned()
        .collect()
}

/// A change as the upper layer of an overlay over a snapshot whose tree has these paths.
pub(super) fn of_change(change: &TreeChange, base: &[PathBuf], now: SystemTime) -> Result<Vec<u8>, SandboxError> {
    let written = if change.written.is_empty() {
        // An archive without entries.
        vec![0; 1024]
    } else {
        change.written.clone()
    };
    let repacked = tree::repack(&written, now)?;
    let mut out = Builder::new(Vec::with_capacity(repacked.len() + 4096));
    let made = (|| -> io::Result<BTreeSet<PathBuf>> {
        empty_layer(&mut out, now)?;
        Ok(
            copy_under(&mut out, Path::new("store/layer"), &repacked, Some(now), |_| true)?
                .into_iter()
                .collect(),
        )
    })();
    let mut there = made.map_err(TreeError::from)?;
    let mut removed = BTreeSet::new();
    for path in &change.removed {
        let path = PathBuf::from(path);
        let inside = path.components().all(|part| matches!(part, Component::Normal(_)));
        if path.as_os_str().is_empty() || !inside || bytes_of(&path).contains(&0) {
            return Err(SandboxError::BadPath(super::one_line(&path.to_string_lossy())));
        }
        removed.insert(path);
    }
    let repo = Path::new("store").join(LAYER).join("repo");
    for hidden in hidden(&removed, &there, base) {
        let above: Vec<_> = hidden.ancestors().skip(1).map(Path::to_owned).collect();
        for path in above.into_iter().rev().filter(|path| !path.as_os_str().is_empty()) {
            if there.insert(path.clone()) {
                folder(&mut out, &repo.join(path), now).map_err(TreeError::from)?;
            }
        }
        whiteout(&mut out, &repo.join(hidden), now).map_err(TreeError::from)?;
    }
    Ok(out.into_inner().map_err(TreeError::from)?)
}

/// What to hide so that the removed files are gone: whole folders where nothing of the tree is left
/// in them, as in a fresh checkout.
fn hidden(removed: &BTreeSet<PathBuf>, written: &BTreeSet<PathBuf>, base: &[PathBuf]) -> BTreeSet<PathBuf> {
    let written_folders = folders_of(written.iter());
    let in_place = |path: &Path| written.contains(path) && !written_folders.contains(path);
    let base_folders = folders_of(base.iter());
    let left = base
        .iter()
        .filter(|path| !removed.contains(*path) && !base_folders.contains(path.as_path()));
    let mut kept = folders_of(left);
    kept.extend(written_folders.iter().copied());
    kept.insert(Path::new(""));
    removed
        .iter()
        // What is written in its place, or in that of a folder above it, hides it already.
        .filter(|path| !kept.contains(path.as_path()) && !path.ancestors().any(in_place))
        .map(|path| {
            let top = path.ancestors().take_while(|above| !kept.contains(above)).last();
            top.unwrap_or(path).to_owned()
        })
        .collect()
}

fn folders_of<'a>(paths: impl Iterator<Item = &'a PathBuf>) -> BTreeSet<&'a Path> {
    paths.flat_map(|path| path.ancestors().skip(1)).collect()
}

/// The folders of a layer: owned by the sandbox's user, except the one that overlayfs keeps for itself.
fn empty_layer(out: &mut Builder<Vec<u8>>, now: SystemTime) -> io::Result<()> {
    for name in ["store/layer", "store/layer/workspace", "store/layer/work"] {
        folder(out, Path::new(name), now)?;
    }
    Ok(())
}

/// Copies the wanted entries of a repacked archive below a folder, each dated by `date` if that is given. The
/// paths of those below the repo.
fn copy_under(
    out: &mut Builder<Vec<u8>>,
    folder: &Path,
    repacked: &[u8],
    date: Option<SystemTime>,
    wanted: impl Fn(&Path) -> bool,
) -> io::Result<Vec<PathBuf>> {
    // To the nanosecond: cut to a second, a file changed now would be older than what was just built.
    let date = date.map(|date| {
        let since = date.duration_since(UNIX_EPOCH).unwrap_or_default();
        format!("{}.{:09}", since.as_secs(), since.subsec_nanos())
    });
    let mut paths = Vec::new();
    for entry in Archive::new(repacked).entries()? {
        let mut entry = entry?;
        let name = entry.path()?.into_owned();
        let in_repo = name.strip_prefix("workspace/repo").ok().map(Path::to_owned);
        let in_repo = in_repo.filter(|path| !path.as_os_str().is_empty());
        if !wanted(in_repo.as_deref().unwrap_or(Path::new(""))) {
            continue;
        }
        let mut header = entry.header().clone();
        let target = folder.join(&name);
        if let Some(date) = &date {
            // pax(1), "Extended Header": the header itself has whole seconds only.
            out.append_pax_extensions([("mtime", date.as_bytes())])?;
        }
        match entry.link_name()?.map(std::borrow::Cow::into_owned) {
            Some(points_at) => out.append_link(&mut header, &target, points_at)?,
            None => {
                let size = entry.size();
                out.append_data(&mut header, &target, entry.by_ref().take(size))?;
            }
        }
        paths.extend(in_repo);
    }
    Ok(paths)
}

fn header(kind: EntryType, mode: u32, now: SystemTime) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_size(0);
    header.set_uid(u64::from(SANDBOX_UID));
    header.set_gid(u64::from(SANDBOX_UID));
    header.set_mtime(now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()));
    header
}

fn folder(out: &mut Builder<Vec<u8>>, path: &Path, now: SystemTime) -> io::Result<()> {
    out.append_data(&mut header(EntryType::Directory, 0o755, now), path, io::empty())
}

fn plain_file(out: &mut Builder<Vec<u8>>, path: &str, content: &[u8]) -> io::Result<()> {
    let mut header = header(EntryType::Regular, 0o644, UNIX_EPOCH);
    header.set_size(content.len() as u64);
    out.append_data(&mut header, path, content)
}

/// A character device 0/0, which overlayfs takes for "not there" (Linux kernel documentation,
/// `filesystems/overlayfs.rst`, "whiteouts and opaque directories").
fn whiteout(out: &mut Builder<Vec<u8>>, path: &Path, now: SystemTime) -> io::Result<()> {
    let mut header = header(EntryType::Char, 0, now);
    header.set_device_major(0)?;
    header.set_device_minor(0)?;
    out.append_data(&mut header, path, io::empty())
}

fn has_break(path: &Path) -> bool {
    bytes_of(path).contains(&b'\n')
}

fn bytes_of(path: &Path) -> &[u8] {
    path.as_os_str().as_encoded_bytes()
}

#[cfg(test)]
mod tests;
