//! Packs in temporary folders.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Output;
use tempfile::TempDir;

use crate::support::{run, stderr, stdout};

/// A pack's folder, made for one test.
pub struct PackFolder {
    root: TempDir,
}

impl PackFolder {
    /// An empty folder.
    pub fn new() -> Self {
        Self {
            root: TempDir::with_prefix("holdpoint-pack-").unwrap(),
        }
    }

    /// A copy of a shipped pack.
    pub fn of_shipped(name: &str) -> Self {
        let folder = Self::new();
        copy(&shipped(name), folder.path());
        folder
    }

    /// Writes a file.
    pub fn with(self, file: &str, text: &str) -> Self {
        self.write(file, text);
        self
    }

    /// Writes a file.
    pub fn write(&self, file: &str, text: impl AsRef<[u8]>) {
        let path = self.path().join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Writes a policy, in a file of its own.
    pub fn policy(self, id: &str, rule: &str) -> Self {
        self.with(&format!("{id}.cedar"), &policy(id, rule))
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        self.root.path()
    }

    /// Its path as an argument.
    pub fn arg(&self) -> &str {
        self.path().to_str().unwrap()
    }
}

/// The folder of a shipped pack.
pub fn shipped(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("policies").join(name)
}

/// A policy with its annotations on lines of their own: the rule begins on the third.
pub fn policy(id: &str, rule: &str) -> String {
    format!("@id(\"{id}\")\n@reason(\"Because of {id}\")\n{rule}\n")
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            std::fs::copy(&path, target).unwrap();
        }
    }
}

pub fn code(output: &Output) -> Option<i32> {
    output.status.code()
}

pub fn all(output: &Output) -> String {
    stdout(output) + &stderr(output)
}

/// What was written is a sound, tested and formatted pack at once.
pub fn holds_up(pack: &Path) {
    let pack = pack.to_str().unwrap();
    for command in [&["check"][..], &["test"], &["fmt", "--check"]] {
        let output = run(&[&["policy"], command, &[pack]].concat());
        assert!(output.status.success(), "{command:?} {pack}: {}", all(&output));
    }
}

pub fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let Ok(listing) = std::fs::read_dir(folder) else {
            continue;
        };
        for path in listing.map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else {
                found.insert(path.clone(), std::fs::read(&path).unwrap());
            }
        }
    }
    found
}
