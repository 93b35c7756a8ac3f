//! Lockfiles: which exact versions a repo uses. A kind of lockfile is one file here and one line
//! in [`Kind::of`].

mod cargo_lock;
mod package_lock;
mod requirements;

use holdpoint_schemas::fix::DependencyScope;

use crate::error::SourceResult;
use crate::osv::Ecosystem;

/// Largest lockfile in bytes.
const MAX_LOCKFILE_BYTES: usize = 64 << 20;

/// A package at an exact version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// Ecosystem.
    pub ecosystem: Ecosystem,
    /// Name as written.
    pub name: String,
    /// Version as written.
    pub version: String,
    /// Line, 1-based, where known.
    pub line: Option<u32>,
    /// Whether it ships, where the lockfile says.
    pub scope: Option<DependencyScope>,
    /// Whether the repo itself declares it, where the lockfile says.
    pub direct: Option<bool>,
}

/// What a lockfile says.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Lockfile {
    /// Its packages, in its order.
    pub packages: Vec<Package>,
    /// What has no exact version, one line each.
    pub skipped: Vec<String>,
}

/// A kind of lockfile.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    read: fn(&str, &str) -> SourceResult<Lockfile>,
}

impl Kind {
    /// The kind by the file's name.
    pub fn of(path: &str) -> Option<Self> {
        let mut parts = path.rsplit('/');
        let (name, folder) = (parts.next()?, parts.next());
        let read: fn(&str, &str) -> SourceResult<Lockfile> = match name {
            "package-lock.json" | "npm-shrinkwrap.json" => package_lock::read,
            "Cargo.lock" => cargo_lock::read,
            _ if requirements::is_one(name, folder) => requirements::read,
            _ => return None,
        };
        Some(Self { read })
    }

    /// Reads a lockfile of this kind.
    pub fn read(self, path: &str, text: &str) -> SourceResult<Lockfile> {
        (self.read)(path, crate::json::text(path, text.as_bytes(), MAX_LOCKFILE_BYTES)?)
    }
}

/// Whether the file at this path (in the repo) is a lockfile that is read.
#[must_use]
pub fn is_lockfile(path: &str) -> bool {
    Kind::of(path).is_some()
}

/// A line number from an index; files of more lines than fit have no number there.
fn line_number(index: usize) -> Option<u32> {
    u32::try_from(index + 1).ok()
}
