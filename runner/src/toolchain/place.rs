//! One folder of a tree, as a toolchain looks at it.

use std::collections::BTreeSet;

use super::Files;

/// One folder of a tree.
pub(super) struct Place<'a> {
    files: &'a dyn Files,
    paths: &'a BTreeSet<String>,
    /// Ends in `/` unless it is the root.
    prefix: String,
    /// Whether packages may run scripts of their own when they are installed.
    pub scripts: bool,
}

impl<'a> Place<'a> {
    pub fn new(files: &'a dyn Files, paths: &'a BTreeSet<String>, folder: &str, scripts: bool) -> Self {
        let prefix = match folder {
            "" => String::new(),
            _ => format!("{folder}/"),
        };
        Self {
            files,
            paths,
            prefix,
            scripts,
        }
    }

    /// Whether a file is there, by its path relative to this folder.
    pub fn has(&self, path: &str) -> bool {
        self.paths.contains(&format!("{}{path}", self.prefix))
    }

    /// The first of these files that is there.
    pub fn first<'n>(&self, names: &[&'n str]) -> Option<&'n str> {
        names.iter().copied().find(|name| self.has(name))
    }

    pub fn text(&self, path: &str) -> Option<String> {
        if self.has(path) {
            self.files.text(&format!("{}{path}", self.prefix))
        } else {
            None
        }
    }

    /// Paths of all files of this folder and below it, relative to it.
    pub fn below(&self) -> impl Iterator<Item = &'a str> {
        let prefix = self.prefix.clone();
        let paths = self.paths;
        paths
            .range(prefix.clone()..)
            .map_while(move |path| path.strip_prefix(&prefix))
    }
}
