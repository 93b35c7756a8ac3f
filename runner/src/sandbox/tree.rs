//! A repo's tree on its way into a workspace: checked, re-owned and re-dated.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};
use tar::{Archive, Builder, EntryType, Header};
use thiserror::Error;

use super::SANDBOX_UID;
use super::snapshot::TreeChange;

/// Entries of one tree: the largest public monorepos have fewer files.
const MAX_ENTRIES: usize = 1_000_000;
/// Bytes of one tree.
const MAX_BYTES: u64 = 4 << 30;
/// Longest path, in bytes: PATH_MAX on Linux.
const MAX_PATH_BYTES: usize = 4096;

/// Why a tree was refused.
#[derive(Debug, Error)]
pub enum TreeError {
    /// Not a tar archive, or cut off.
    #[error("it is not a complete tar archive: {0}")]
    Malformed(#[from] io::Error),
    /// A name that leaves the tree.
    #[error("entry `{0}` leaves the tree")]
    Escapes(String),
    /// An entry below a symbolic link, which would be written wherever that points.
    #[error("entry `{0}` lies behind a symbolic link")]
    BehindLink(String),
    /// Git's own folder, whose configuration and hooks name programs to run. No commit can hold one.
    #[error("entry `{0}` lies in git's own folder")]
    GitFolder(String),
    /// A device, a hard link, a pipe.
    #[error("entry `{0}` is neither a file, a folder nor a symbolic link")]
    Special(String),
    /// More than a tree may hold.
    #[error("it holds more than {0}")]
    TooLarge(String),
}

/// Rewrites an archive of a repo's tree into one that is unpacked at `/`: everything below
/// `workspace/repo`, owned by the sandbox's user, dated now.
pub(crate) fn repack(tar: &[u8], now: SystemTime) -> Result<Vec<u8>, TreeError> {
    let mtime = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let mut out = Builder::new(Vec::with_capacity(tar.len() + 4096));
    for folder in ["workspace", "workspace/repo", "workspace/report", "workspace/cache"] {
        append_folder(&mut out, Path::new(folder), mtime)?;
    }
    let mut links = BTreeSet::new();
    let mut folders = BTreeSet::new();
    let mut bytes = 0_u64;
    for (count, entry) in Archive::new(tar).entries()?.enumerate() {
        let mut entry = entry?;
        if count >= MAX_ENTRIES {
            return Err(TreeError::TooLarge(format!("{MAX_ENTRIES} entries")));
        }
        let kind = entry.header().entry_type();
        if matches!(kind, EntryType::XGlobalHeader) {
            continue;
        }
        let name = entry.path()?.into_owned();
        let Some(relative) = inside(&name)? else {
            continue;
        };
        if relative.ancestors().any(|above| links.contains(above)) {
            return Err(TreeError::BehindLink(shown(&name)));
        }
        let target = Path::new("workspace/repo").join(&relative);
        // Archives of git trees name no folders, and what the engine makes up belongs to root.
        let mut above: Vec<&Path> = relative
            .ancestors()
            .skip(1)
            .filter(|folder| !folder.as_os_str().is_empty())
            .collect();
        above.reverse();
        for folder in above {
            if folders.insert(folder.to_owned()) {
                append_folder(&mut out, &Path::new("workspace/repo").join(folder), mtime)?;
            }
        }
        let mut header = new_header(mtime);
        match kind {
            EntryType::Directory => {
                if folders.insert(relative) {
                    append_folder(&mut out, &target, mtime)?;
                }
            }
            EntryType::Symlink => {
                let points_at = entry
                    .link_name()?
                    .ok_or_else(|| TreeError::Special(shown(&name)))?
                    .into_owned();
                links.insert(relative);
                header.set_entry_type(EntryType::Symlink);
                header.set_mode(0o777);
                header.set_size(0);
                out.append_link(&mut header, &target, &points_at)?;
            }
            EntryType::Regular | EntryType::Continuous => {
                bytes = bytes.saturating_add(entry.size());
                if bytes > MAX_BYTES {
                    return Err(TreeError::TooLarge(format!("{MAX_BYTES} bytes")));
                }
                let executable = entry.header().mode()? & 0o111 != 0;
                header.set_mode(if executable { 0o755 } else { 0o644 });
                header.set_size(entry.size());
                let size = entry.size();
                out.append_data(&mut header, &target, entry.by_ref().take(size))?;
            }
            _ => return Err(TreeError::Special(shown(&name))),
        }
    }
    Ok(out.into_inner()?)
}

/// What turns one tree into another, both as archives of a repo's tree. A file counts as changed
/// when its kind, its content or its executable bit differs.
///
/// # Errors
/// When either is no archive of a tree.
pub fn change(from: &[u8], to: &[u8]) -> Result<TreeChange, TreeError> {
    let before = files(from)?;
    let mut removed: BTreeSet<&Path> = before.keys().map(PathBuf::as_path).collect();
    let after = files(to)?;
    let mut out = Builder::new(Vec::new());
    let mut any = false;
    for (path, file) in &after {
        removed.remove(path.as_path());
        if before.get(path) == Some(file) {
            continue;
        }
        any = true;
        let mut header = new_header(0);
        match file {
            TreeFile::Link(target) => {
                header.set_entry_type(EntryType::Symlink);
                header.set_mode(0o777);
                header.set_size(0);
                out.append_link(&mut header, path, target)?;
            }
            TreeFile::Regular { content, executable } => {
                header.set_mode(if *executable { 0o755 } else { 0o644 });
                header.set_size(content.len() as u64);
                out.append_data(&mut header, path, *content)?;
            }
        }
    }
    let removed = removed.into_iter().map(shown).collect();
    let written = if any { out.into_inner()? } else { Vec::new() };
    Ok(TreeChange { written, removed })
}

/// A file of a tree.
#[derive(Debug, PartialEq, Eq)]
enum TreeFile<'a> {
    Regular { content: &'a [u8], executable: bool },
    Link(PathBuf),
}

fn files(tar: &[u8]) -> Result<BTreeMap<PathBuf, TreeFile<'_>>, TreeError> {
    let mut files = BTreeMap::new();
    for (count, entry) in Archive::new(tar).entries()?.enumerate() {
        let entry = entry?;
        if count >= MAX_ENTRIES {
            return Err(TreeError::TooLarge(format!("{MAX_ENTRIES} entries")));
        }
        let kind = entry.header().entry_type();
        let name = entry.path()?.into_owned();
        let Some(path) = inside(&name)? else { continue };
        let file = match kind {
            EntryType::Directory | EntryType::XGlobalHeader => continue,
            EntryType::Symlink => TreeFile::Link(
                entry
                    .link_name()?
                    .ok_or_else(|| TreeError::Special(shown(&name)))?
                    .into_owned(),
            ),
            EntryType::Regular | EntryType::Continuous => {
                let from = usize::try_from(entry.raw_file_position()).unwrap_or(usize::MAX);
                let size = usize::try_from(entry.size()).unwrap_or(usize::MAX);
                let content = tar
                    .get(from..from.saturating_add(size))
                    .ok_or_else(|| TreeError::Malformed(io::ErrorKind::UnexpectedEof.into()))?;
                TreeFile::Regular {
                    content,
                    executable: entry.header().mode()? & 0o111 != 0,
                }
            }
            _ => return Err(TreeError::Special(shown(&name))),
        };
        files.insert(path, file);
    }
    Ok(files)
}

fn new_header(mtime: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_uid(u64::from(SANDBOX_UID));
    header.set_gid(u64::from(SANDBOX_UID));
    header.set_mtime(mtime);
    header
}

fn append_folder(out: &mut Builder<Vec<u8>>, path: &Path, mtime: u64) -> io::Result<()> {
    let mut header = new_header(mtime);
    header.set_entry_type(EntryType::Directory);
    header.set_mode(0o755);
    header.set_size(0);
    out.append_data(&mut header, path, io::empty())
}

/// The name as a relative path; `None` for the root itself.
fn inside(name: &Path) -> Result<Option<PathBuf>, TreeError> {
    let mut relative = PathBuf::new();
    if name.as_os_str().len() > MAX_PATH_BYTES {
        return Err(TreeError::TooLarge(format!("{MAX_PATH_BYTES} bytes in one name")));
    }
    for component in name.components() {
        match component {
            Component::Normal(part) if is_git(part) => return Err(TreeError::GitFolder(shown(name))),
            Component::Normal(part) => relative.push(part),
            Component::CurDir => {}
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => {
                return Err(TreeError::Escapes(shown(name)));
            }
        }
    }
    Ok((!relative.as_os_str().is_empty()).then_some(relative))
}

/// Whether git would take this name for its own folder, as its `verify_path` does: in any case, and by its
/// short name on file systems that have those.
fn is_git(part: &OsStr) -> bool {
    let name = part.as_encoded_bytes();
    name.eq_ignore_ascii_case(b".git") || name.eq_ignore_ascii_case(b"git~1")
}

fn shown(name: &Path) -> String {
    crate::text::clean_line(name.as_os_str().as_encoded_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw_entry(out: &mut Vec<u8>, name: &str, kind: EntryType, link: &str, data: &[u8]) {
        let mut header = Header::new_gnu();
        // `set_path` refuses what an attacker wouldn't, so the bytes are written directly.
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.as_old_mut().linkname[..link.len()].copy_from_slice(link.as_bytes());
        header.set_entry_type(kind);
        header.set_size(data.len() as u64);
        header.set_mode(0o644);
        header.set_mtime(1);
        header.set_uid(0);
        header.set_gid(0);
        header.set_cksum();
        out.extend_from_slice(header.as_bytes());
        out.extend_from_slice(data);
        out.resize(out.len().next_multiple_of(512), 0);
    }

    fn archive(entries: &[(&str, EntryType, &str, &[u8])]) -> Vec<u8> {
        let mut out = Vec::new();
        for (name, kind, link, data) in entries {
            raw_entry(&mut out, name, *kind, link, data);
        }
        out.resize(out.len() + 1024, 0);
        out
    }

    fn refuse(entries: &[(&str, EntryType, &str, &[u8])]) -> TreeError {
        repack(&archive(entries), SystemTime::now()).unwrap_err()
    }

    #[test]
    fn a_tree_is_prefixed_re_owned_and_re_dated() {
        let now = UNIX_EPOCH + std::time::Duration::from_secs(1_800_000_000);
        let tar = archive(&[
            ("./", EntryType::Directory, "", b""),
            ("a.py", EntryType::Regular, "", b"print()"),
            ("link", EntryType::Symlink, "a.py", b""),
            ("src/deep/b.py", EntryType::Regular, "", b""),
        ]);
        let out = repack(&tar, now).unwrap();
        let mut archive = Archive::new(out.as_slice());
        let mut names = Vec::new();
        for entry in archive.entries().unwrap() {
            let entry = entry.unwrap();
            assert_eq!(entry.header().uid().unwrap(), u64::from(SANDBOX_UID));
            assert_eq!(entry.header().mtime().unwrap(), 1_800_000_000);
            names.push(entry.path().unwrap().display().to_string());
        }
        assert_eq!(
            names,
            [
                "workspace",
                "workspace/repo",
                "workspace/report",
                "workspace/cache",
                "workspace/repo/a.py",
                "workspace/repo/link",
                "workspace/repo/src",
                "workspace/repo/src/deep",
                "workspace/repo/src/deep/b.py"
            ]
        );
    }

    #[test]
    fn names_that_leave_the_tree_are_refused() {
        for name in ["../x", "a/../../x", "/etc/passwd"] {
            assert!(
                matches!(refuse(&[(name, EntryType::Regular, "", b"x")]), TreeError::Escapes(_)),
                "{name}"
            );
        }
    }

    #[test]
    fn gits_own_folder_is_refused_and_files_about_git_are_not() {
        for name in [".git/config", "vendor/.GIT/hooks/post-checkout", ".git", "git~1/config"] {
            assert!(
                matches!(refuse(&[(name, EntryType::Regular, "", b"x")]), TreeError::GitFolder(_)),
                "{name}"
            );
        }
        for name in [".gitignore", ".gitattributes", ".gitmodules", ".github/ci.yml"] {
            assert!(repack(&archive(&[(name, EntryType::Regular, "", b"x")]), SystemTime::now()).is_ok());
        }
    }

    #[test]
    fn writing_through_a_symbolic_link_is_refused() {
        let error = refuse(&[
            ("d", EntryType::Symlink, "/etc", b""),
            ("d/x", EntryType::Regular, "", b"x"),
        ]);
        assert!(matches!(error, TreeError::BehindLink(_)), "{error}");
        let error = refuse(&[
            ("d", EntryType::Symlink, "/etc", b""),
            ("d", EntryType::Regular, "", b"x"),
        ]);
        assert!(matches!(error, TreeError::BehindLink(_)), "{error}");
    }

    #[test]
    fn devices_pipes_and_hard_links_are_refused() {
        for kind in [EntryType::Char, EntryType::Block, EntryType::Fifo, EntryType::Link] {
            assert!(
                matches!(refuse(&[("x", kind, "y", b"")]), TreeError::Special(_)),
                "{kind:?}"
            );
        }
    }

    #[test]
    fn a_truncated_archive_is_refused() {
        let tar = archive(&[("a", EntryType::Regular, "", &[b'x'; 2000])]);
        assert!(matches!(
            repack(&tar[..1024], SystemTime::now()).unwrap_err(),
            TreeError::Malformed(_)
        ));
        assert!(matches!(
            repack(&[b'x'; 600], SystemTime::now()).unwrap_err(),
            TreeError::Malformed(_)
        ));
    }
}
