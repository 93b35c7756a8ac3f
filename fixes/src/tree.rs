//! Reading a tree from the object database: as a tar for the sandbox, by path, as a list.

use std::path::Path;

use git2::{ObjectType, Repository, Tree};

use crate::FixError;
use crate::apply::full_id;
use crate::diff::refused;

/// Deepest folder: bounds the recursion over a foreign tree.
const MAX_DEPTH: usize = 100;
/// Longest target of a symbolic link: PATH_MAX on Linux.
const MAX_TARGET_BYTES: usize = 4096;
/// User and group in the sandbox.
const SANDBOX_ID: u64 = 10_001;

/// Bounds and time stamp of an exported tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExportLimits {
    /// Most bytes of all files together.
    pub max_bytes: u64,
    /// Most entries.
    pub max_files: usize,
    /// Modification time of each entry, Unix seconds. Build tools compare it, so the caller says.
    pub mtime: u64,
}

impl Default for ExportLimits {
    fn default() -> Self {
        Self {
            max_bytes: 512 << 20,
            max_files: 100_000,
            mtime: 0,
        }
    }
}

/// One entry of a tree that isn't a folder.
struct Leaf {
    path: String,
    mode: i32,
    id: git2::Oid,
}

/// The tree as a tar: blobs verbatim (no filter, no attribute), the executable bit
/// kept, owner 10001. A submodule becomes an empty folder, as in a clone without its submodules.
///
/// # Errors
/// When the tree isn't there, is larger than the limits, or a symbolic link can lead nowhere.
pub fn export_tar(repo: &Repository, tree_id: &str, limits: ExportLimits) -> Result<Vec<u8>, FixError> {
    let mut tar = tar::Builder::new(Vec::new());
    for leaf in bounded(repo, tree_id, limits)? {
        let name = leaf.path.clone();
        if leaf.mode == 0o160_000 {
            folder(&mut tar, &name, limits.mtime)?;
            continue;
        }
        let blob = repo.find_blob(leaf.id)?;
        let mut header = header(limits.mtime);
        let written = if leaf.mode == 0o120_000 {
            let target = link_target(&leaf.path, blob.content())?;
            header.set_entry_type(tar::EntryType::Symlink);
            header.set_mode(0o777);
            header.set_size(0);
            tar.append_link(&mut header, &name, target)
        } else {
            header.set_mode(if leaf.mode & 0o111 == 0 { 0o644 } else { 0o755 });
            header.set_size(blob.size() as u64);
            tar.append_data(&mut header, &name, blob.content())
        };
        written.map_err(|error| tar_error(&leaf.path, &error))?;
    }
    tar.into_inner().map_err(|error| tar_error("the tree", &error))
}

/// Whether [`export_tar`] can write a tree, without reading its files.
///
/// # Errors
/// As those of [`export_tar`].
pub fn check_exportable(repo: &Repository, tree_id: &str, limits: ExportLimits) -> Result<(), FixError> {
    for leaf in bounded(repo, tree_id, limits)? {
        if leaf.mode == 0o120_000 {
            link_target(&leaf.path, repo.find_blob(leaf.id)?.content())?;
        }
    }
    Ok(())
}

/// The entries of a tree that is no larger than the limits.
fn bounded(repo: &Repository, tree_id: &str, limits: ExportLimits) -> Result<Vec<Leaf>, FixError> {
    let leaves = leaves(repo, tree_id, limits.max_files)?;
    let odb = repo.odb()?;
    let mut bytes = 0_u64;
    for leaf in leaves.iter().filter(|leaf| leaf.mode != 0o160_000) {
        // The header only: a blob can be larger than memory.
        bytes += odb.read_header(leaf.id)?.0 as u64;
        if bytes > limits.max_bytes {
            return Err(FixError::TooLarge {
                what: "the tree".to_owned(),
                limit: format!("{} bytes", limits.max_bytes),
            });
        }
    }
    Ok(leaves)
}

/// The content of a plain file; `None` when there is none at that path (symbolic links are not
/// followed).
#[must_use]
pub fn read_blob(repo: &Repository, tree_id: &str, path: &str) -> Option<Vec<u8>> {
    let tree = repo.find_tree(full_id("tree", tree_id).ok()?).ok()?;
    let entry = tree.get_path(Path::new(path)).ok()?;
    let plain = entry.kind() == Some(ObjectType::Blob) && entry.filemode() != 0o120_000;
    let limit = usize::try_from(ExportLimits::default().max_bytes).unwrap_or(usize::MAX);
    let small = repo
        .odb()
        .ok()?
        .read_header(entry.id())
        .is_ok_and(|(size, _)| size <= limit);
    (plain && small).then(|| repo.find_blob(entry.id()).ok().map(|blob| blob.content().to_vec()))?
}

/// Paths of all plain files, in byte order; empty when the tree isn't there or can't be read.
#[must_use]
pub fn list_files(repo: &Repository, tree_id: &str) -> Vec<String> {
    let mut paths: Vec<String> = leaves(repo, tree_id, ExportLimits::default().max_files)
        .unwrap_or_default()
        .into_iter()
        .filter(|leaf| !matches!(leaf.mode, 0o120_000 | 0o160_000))
        .map(|leaf| leaf.path)
        .collect();
    paths.sort();
    paths
}

/// Paths of the symbolic links of a tree, sorted.
#[must_use]
pub fn list_links(repo: &Repository, tree_id: &str) -> Vec<String> {
    let mut paths: Vec<String> = leaves(repo, tree_id, ExportLimits::default().max_files)
        .unwrap_or_default()
        .into_iter()
        .filter(|leaf| leaf.mode == 0o120_000)
        .map(|leaf| leaf.path)
        .collect();
    paths.sort();
    paths
}

fn leaves(repo: &Repository, tree_id: &str, max_files: usize) -> Result<Vec<Leaf>, FixError> {
    let missing = |_| FixError::Missing {
        what: "tree",
        id: tree_id.to_owned(),
    };
    let tree = repo.find_tree(full_id("tree", tree_id)?).map_err(missing)?;
    let mut found = Vec::new();
    walk(repo, &tree, "", 0, max_files, &mut found)?;
    Ok(found)
}

fn walk(
    repo: &Repository,
    tree: &Tree<'_>,
    prefix: &str,
    depth: usize,
    max_files: usize,
    found: &mut Vec<Leaf>,
) -> Result<(), FixError> {
    if depth > MAX_DEPTH {
        return Err(refused(
            prefix,
            "is nested deeper than 100 folders",
            "flatten the folders",
        ));
    }
    for entry in tree {
        let name = std::str::from_utf8(entry.name_bytes())
            .map_err(|_| refused(prefix, "holds a name that is not UTF-8", "rename the file"))?;
        let path = if prefix.is_empty() {
            name.to_owned()
        } else {
            format!("{prefix}/{name}")
        };
        // A tree object can hold any name; one that leaves the top folder must not reach a tar.
        if matches!(name, "" | "." | "..") || name.contains('/') || name.eq_ignore_ascii_case(".git") {
            return Err(refused(
                &path,
                "is no name for a file",
                "the tree is damaged; rename the entry",
            ));
        }
        if entry.kind() == Some(ObjectType::Tree) {
            walk(repo, &repo.find_tree(entry.id())?, &path, depth + 1, max_files, found)?;
            continue;
        }
        found.push(Leaf {
            path,
            mode: entry.filemode(),
            id: entry.id(),
        });
        if found.len() > max_files {
            return Err(FixError::TooLarge {
                what: "the tree".to_owned(),
                limit: format!("{max_files} files"),
            });
        }
    }
    Ok(())
}

/// The target of a symbolic link, wherever it points: only the sandbox ever follows it, where every step could make
/// such a link itself, and whoever reads a workspace from outside follows none.
fn link_target<'a>(path: &str, target: &'a [u8]) -> Result<&'a str, FixError> {
    let help = "replace the link by a file, or point it to one";
    let target = std::str::from_utf8(target).map_err(|_| refused(path, "points to a name that is not UTF-8", help))?;
    if target.is_empty() || target.contains('\0') || target.len() > MAX_TARGET_BYTES {
        return Err(refused(path, "is a symbolic link to what can't be a path", help));
    }
    Ok(target)
}

fn header(mtime: u64) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_uid(SANDBOX_ID);
    header.set_gid(SANDBOX_ID);
    header.set_mtime(mtime);
    header
}

fn folder(tar: &mut tar::Builder<Vec<u8>>, name: &str, mtime: u64) -> Result<(), FixError> {
    let mut header = header(mtime);
    header.set_entry_type(tar::EntryType::Directory);
    header.set_mode(0o755);
    header.set_size(0);
    tar.append_data(&mut header, format!("{name}/"), std::io::empty())
        .map_err(|error| tar_error(name, &error))
}

fn tar_error(path: &str, error: &std::io::Error) -> FixError {
    FixError::Git(format!("writing `{path}` into the tar: {error}"))
}

#[cfg(test)]
mod tests;
