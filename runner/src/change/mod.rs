//! What a fix changes, in terms of its language: lines of source, tests, how tests are run.

pub mod language;
pub mod lines;
pub mod mutants;
pub mod restore;
pub mod test_files;

use std::borrow::Cow;
use std::collections::BTreeMap;
use tar::{Builder, EntryType, Header};

use crate::sandbox::tree::{TreeError, TreeFile, files};

/// Files of a tree by path relative to the repo, those with odd names left out.
#[derive(Debug, Clone, Default)]
pub struct SourceTree<'a>(BTreeMap<String, SourceFile<'a>>);

/// One file of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceFile<'a> {
    /// A regular file.
    Regular {
        /// What is in it.
        content: Cow<'a, [u8]>,
        /// Whether it may be executed.
        executable: bool,
    },
    /// A symbolic link, and where it points.
    Link(String),
}

impl<'a> SourceTree<'a> {
    /// Reads an uncompressed tar archive of a repo's tree.
    ///
    /// # Errors
    /// When it is none.
    pub fn read(tar: &'a [u8]) -> Result<Self, TreeError> {
        let mut tree = BTreeMap::new();
        for (path, file) in files(tar)? {
            let file = match file {
                TreeFile::Regular { content, executable } => SourceFile::Regular {
                    content: Cow::Borrowed(content),
                    executable,
                },
                TreeFile::Link(target) => SourceFile::Link(target.to_string_lossy().into_owned()),
            };
            if let Some(path) = path.to_str() {
                tree.insert(path.to_owned(), file);
            }
        }
        Ok(Self(tree))
    }

    /// Writes it as an archive.
    ///
    /// # Errors
    /// When a path is too long for one.
    pub fn write(&self) -> Result<Vec<u8>, TreeError> {
        let mut out = Builder::new(Vec::new());
        for (path, file) in &self.0 {
            let mut header = Header::new_gnu();
            match file {
                SourceFile::Regular { content, executable } => {
                    header.set_mode(if *executable { 0o755 } else { 0o644 });
                    header.set_size(content.len() as u64);
                    out.append_data(&mut header, path, content.as_ref())?;
                }
                SourceFile::Link(target) => {
                    header.set_entry_type(EntryType::Symlink);
                    header.set_mode(0o777);
                    header.set_size(0);
                    out.append_link(&mut header, path, target)?;
                }
            }
        }
        Ok(out.into_inner()?)
    }

    /// A file.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<&SourceFile<'a>> {
        self.0.get(path)
    }

    /// A file's text; `None`: it isn't there, or is no UTF-8.
    #[must_use]
    pub fn text(&self, path: &str) -> Option<&str> {
        match self.0.get(path)? {
            SourceFile::Regular { content, .. } => std::str::from_utf8(content).ok(),
            SourceFile::Link(_) => None,
        }
    }

    /// Puts a file there, or takes it away.
    pub fn set(&mut self, path: &str, file: Option<SourceFile<'a>>) {
        match file {
            Some(file) => self.0.insert(path.to_owned(), file),
            None => self.0.remove(path),
        };
    }

    /// Replaces a file's text.
    pub fn set_text(&mut self, path: &str, text: String) {
        if let Some(SourceFile::Regular { content, .. }) = self.0.get_mut(path) {
            *content = Cow::Owned(text.into_bytes());
        }
    }

    /// Paths, sorted.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Paths of files that differ or are in only one of the two, sorted.
    #[must_use]
    pub fn differing(&self, other: &Self) -> Vec<String> {
        let mut paths: Vec<_> = self.0.keys().chain(other.0.keys()).collect();
        paths.sort_unstable();
        paths.dedup();
        paths.retain(|path| self.0.get(*path) != other.0.get(*path));
        paths.into_iter().cloned().collect()
    }
}
