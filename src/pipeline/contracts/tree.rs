//! The files of a git tree, out of a repository's object database: no filter and no hook runs.

use git2::Repository;
use holdpoint_contract::{Kind, Sources, Unreadable};
use std::cell::Cell;

use super::{MAX_ALL_BYTES, MAX_FILE_BYTES, MAX_FILES, inside, text};
/// The files of a git tree that belong to a contract that a repo declares.
pub struct Tree<'a> {
    git: &'a Repository,
    tree: &'a str,
    /// What paths are relative to: empty, or ends with `/`.
    folder: String,
    paths: Vec<String>,
    links: Vec<String>,
    read: Cell<u64>,
}

impl<'a> Tree<'a> {
    /// The contract that a repo declares at a path, which is a file or a folder. What a description refers to may lie
    /// anywhere in the repo; the files of other kinds are those of the folder. `None`: nothing is there, or too much.
    pub fn open(git: &'a Repository, tree: &'a str, kind: Kind, declared: &str) -> Option<Self> {
        let declared = inside(declared).ok()?;
        let all = holdpoint_fixes::tree::list_files(git, tree);
        let refers = matches!(kind, Kind::OpenApi | Kind::AsyncApi | Kind::JsonSchema);
        let (folder, paths) = if all.contains(&declared) {
            let (front, _) = declared.rsplit_once('/').unwrap_or_default();
            let folder = if refers || front.is_empty() {
                String::new()
            } else {
                format!("{front}/")
            };
            let name = declared.strip_prefix(&folder).unwrap_or(&declared).to_owned();
            (folder, vec![name])
        } else {
            let folder = if declared.is_empty() {
                String::new()
            } else {
                format!("{declared}/")
            };
            let below = all.iter().filter_map(|path| path.strip_prefix(&folder));
            (folder.clone(), below.map(str::to_owned).collect())
        };
        let links = holdpoint_fixes::tree::list_links(git, tree).into_iter();
        let links = links
            .filter_map(|path| path.strip_prefix(&folder).map(str::to_owned))
            .collect();
        let fits = !paths.is_empty() && paths.len() <= MAX_FILES;
        fits.then_some(Self {
            git,
            tree,
            folder,
            paths,
            links,
            read: Cell::new(0),
        })
    }
}

impl Sources for Tree<'_> {
    fn paths(&self) -> Vec<String> {
        self.paths.clone()
    }

    fn links(&self) -> Vec<String> {
        // One file was named: nothing else is compared.
        if self.paths.len() > 1 {
            self.links.clone()
        } else {
            Vec::new()
        }
    }

    fn read(&self, path: &str) -> Result<String, Unreadable> {
        let path = format!("{}{}", self.folder, inside(path)?);
        // It follows no link, and a submodule is no file.
        let bytes = holdpoint_fixes::tree::read_blob(self.git, self.tree, &path).ok_or(Unreadable::Missing)?;
        let size = bytes.len() as u64;
        self.read.set(self.read.get().saturating_add(size));
        if size > MAX_FILE_BYTES {
            return Err(Unreadable::TooLarge { limit: MAX_FILE_BYTES });
        }
        if self.read.get() > MAX_ALL_BYTES {
            return Err(Unreadable::Other(format!("more than {MAX_ALL_BYTES} bytes were read")));
        }
        text(bytes)
    }
}
