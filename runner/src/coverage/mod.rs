//! Which lines ran, read from what coverage tools write. One reader per format, and one line per
//! format in [`FORMATS`].

mod adapters;
mod cobertura;
mod coverage_py;
mod go_cover;
mod istanbul;
mod jacoco;
mod lcov;
mod v8;

use std::collections::{BTreeMap, BTreeSet};
use thiserror::Error;

pub use adapters::{Adapter, adapter};
pub use v8::read_v8;

use crate::sandbox::REPO_DIR;

/// Lines of all files that are kept: more than any repo's changed files have.
const MAX_LINES: usize = 10_000_000;

/// Why a report can't be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BadCoverage {
    /// No format that is known.
    #[error(
        "it is in no format that is known (LCOV, Cobertura or JaCoCo XML, coverage.py or istanbul JSON, Go cover profile)"
    )]
    Unknown,
    /// Of a known format, but broken.
    #[error("it is no {0} report: {1}")]
    Malformed(&'static str, String),
}

/// Which lines could run, and whether they did, by path relative to the repo.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Coverage {
    files: BTreeMap<String, BTreeMap<u32, bool>>,
    lines: usize,
}

impl Coverage {
    /// Notes a line, counted from 1. One that ran anywhere has run.
    pub fn add(&mut self, path: &str, line: u32, ran: bool) {
        if self.lines >= MAX_LINES {
            return;
        }
        if !self.files.contains_key(path) {
            self.files.insert(path.to_owned(), BTreeMap::new());
        }
        if let Some(lines) = self.files.get_mut(path) {
            let known = lines.entry(line).or_insert_with(|| {
                self.lines += 1;
                false
            });
            *known |= ran;
        }
    }

    /// The lines of a file that could run; `None`: the report doesn't know the file.
    #[must_use]
    pub fn file(&self, path: &str) -> Option<&BTreeMap<u32, bool>> {
        self.files.get(path)
    }

    /// Whether it says nothing about any file.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// The same with paths as the repo has them. What can't be matched with one file of the repo is left out.
    fn placed(self, repo: &BTreeSet<String>) -> Self {
        let mut placed = Self::default();
        for (path, lines) in self.files {
            let Some(path) = place(&path, repo) else { continue };
            for (line, ran) in lines {
                placed.add(path, line, ran);
            }
        }
        placed
    }
}

/// The repo's file that a report means: by its full path, or by the longest end that only one file has.
/// Java reports have package folders, Go's the module's name in front.
fn place<'a>(path: &str, repo: &'a BTreeSet<String>) -> Option<&'a str> {
    let path = path.strip_prefix("file://").unwrap_or(path).replace('\\', "/");
    let path = path
        .strip_prefix(REPO_DIR)
        .map_or(path.as_str(), |rest| rest.trim_start_matches('/'));
    let path = path.strip_prefix("./").unwrap_or(path);
    if let Some(same) = repo.get(path) {
        return Some(same);
    }
    let below = |long: &str, short: &str| long.strip_suffix(short).is_some_and(|front| front.ends_with('/'));
    let mut longer = repo.iter().filter(|file| below(file, path));
    if let (Some(one), None) = (longer.next(), longer.next()) {
        return Some(one);
    }
    repo.iter()
        .filter(|file| below(path, file))
        .max_by_key(|file| file.len())
        .map(String::as_str)
}

/// Reads the whole report, as text.
type Reader = fn(&str) -> Result<Coverage, String>;

/// A format: its name, how its beginning shows it, and its reader.
struct Format {
    name: &'static str,
    is: fn(&str) -> bool,
    read: Reader,
}

/// Every format that is known.
const FORMATS: [Format; 6] = [
    Format {
        name: "Go cover",
        is: |head| head.starts_with("mode: "),
        read: go_cover::read,
    },
    Format {
        name: "Cobertura",
        is: |head| head.starts_with('<') && head.contains("<coverage"),
        read: cobertura::read,
    },
    Format {
        name: "JaCoCo",
        is: |head| head.starts_with('<') && head.contains("<report"),
        read: jacoco::read,
    },
    Format {
        name: "coverage.py",
        is: |head| head.starts_with('{') && head.contains("\"meta\""),
        read: coverage_py::read,
    },
    Format {
        name: "istanbul",
        is: |head| head.starts_with('{'),
        read: istanbul::read,
    },
    Format {
        name: "LCOV",
        is: |head| head.lines().any(|line| line.starts_with("SF:")),
        read: lcov::read,
    },
];

/// Reads a report, with paths as the repo has them.
///
/// # Errors
/// When it is of no known format, or broken.
pub fn read(report: &[u8], repo: &BTreeSet<String>) -> Result<Coverage, BadCoverage> {
    let text = std::str::from_utf8(report).map_err(|_| BadCoverage::Unknown)?;
    let text = text.trim_start_matches('\u{feff}').trim_start();
    let mut end = text.len().min(4096);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let head = text.get(..end).unwrap_or_default();
    let format = FORMATS
        .iter()
        .find(|format| (format.is)(head))
        .ok_or(BadCoverage::Unknown)?;
    let coverage = (format.read)(text).map_err(|why| BadCoverage::Malformed(format.name, why))?;
    Ok(coverage.placed(repo))
}

#[cfg(test)]
mod tests;
