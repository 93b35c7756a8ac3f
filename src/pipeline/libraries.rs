//! Libraries as files: the content of a folder, or of an archive as package registries hand it out. Nothing is run or
//! written; sizes and counts are bounded.

use anyhow::Result;
use flate2::read::GzDecoder;
use holdpoint_usage::upgrade::{PackageFile, Surface, read_javascript, read_python, read_rust};
use holdpoint_usage::{Ecosystem, SourceFile, Usage};
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::failure::BadInput;

/// Most files of one library.
const MAX_FILES: usize = 20_000;
/// Most bytes of one file.
const MAX_FILE_BYTES: u64 = 4 << 20;
/// Most bytes of all files of one library, unpacked.
const MAX_TOTAL_BYTES: u64 = 256 << 20;

/// Files by path; without text where that can't be had.
pub type Files = Vec<(String, Option<String>)>;

/// Reads a folder, or an archive: a wheel or another zip, or a compressed tar.
///
/// # Errors
/// When it isn't there, or is no archive that is read.
pub fn read(path: &Path) -> Result<Files> {
    let name = path.to_string_lossy();
    let help = "name a folder, a wheel, a zip or a compressed tar";
    if !path.exists() {
        return Err(BadInput::new(format!("`{name}` isn't there"), help).into());
    }
    let found = if path.is_dir() {
        folder(path)
    } else if [".whl", ".zip", ".jar"].iter().any(|ending| name.ends_with(ending)) {
        zipped(path)
    } else if [".tar.gz", ".tgz", ".crate"]
        .iter()
        .any(|ending| name.ends_with(ending))
    {
        tarred(path)
    } else {
        return Err(BadInput::new(format!("`{name}` is no folder, wheel, zip or compressed tar"), help).into());
    };
    found.map_err(|error| BadInput::new(format!("`{name}` can't be read: {error:#}"), help).into())
}

/// The bounds that are left.
struct Left {
    files: usize,
    bytes: u64,
}

impl Left {
    const fn new() -> Self {
        Self {
            files: MAX_FILES,
            bytes: MAX_TOTAL_BYTES,
        }
    }

    /// The text of what is read, as far as the bounds let it.
    fn text(&mut self, size: u64, from: impl Read) -> Result<Option<String>> {
        anyhow::ensure!(self.files > 0, "it has more than {MAX_FILES} files");
        self.files -= 1;
        if size > MAX_FILE_BYTES {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        // The size that an archive states may be a lie.
        from.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes)?;
        let read = bytes.len() as u64;
        anyhow::ensure!(read <= self.bytes, "it has more than {MAX_TOTAL_BYTES} bytes");
        self.bytes -= read;
        Ok(String::from_utf8(bytes).ok().filter(|_| read <= MAX_FILE_BYTES))
    }
}

fn folder(root: &Path) -> Result<Files> {
    let (mut found, mut left, mut open) = (Files::new(), Left::new(), vec![root.to_owned()]);
    while let Some(next) = open.pop() {
        for entry in std::fs::read_dir(next)? {
            let entry = entry?;
            let (path, kind) = (entry.path(), entry.file_type()?);
            let name = path.strip_prefix(root)?.to_string_lossy().replace('\\', "/");
            if kind.is_dir() {
                if entry.file_name() != ".git" {
                    open.push(path);
                }
            } else if kind.is_file() {
                let text = left.text(entry.metadata()?.len(), std::fs::File::open(&path)?)?;
                found.push((name, text));
            } else {
                // A link may lead anywhere.
                found.push((name, None));
            }
        }
    }
    found.sort();
    Ok(found)
}

fn zipped(path: &Path) -> Result<Files> {
    let mut archive = zip::ZipArchive::new(std::fs::File::open(path)?)?;
    let (mut found, mut left) = (Files::new(), Left::new());
    for index in 0..archive.len() {
        let entry = archive.by_index(index)?;
        if entry.is_file() {
            let (name, size) = (entry.name()?.into_owned(), entry.size());
            found.push((name, left.text(size, entry)?));
        }
    }
    found.sort();
    Ok(found)
}

fn tarred(path: &Path) -> Result<Files> {
    let unpacked = GzDecoder::new(std::fs::File::open(path)?).take(MAX_TOTAL_BYTES * 2);
    let mut archive = tar::Archive::new(unpacked);
    let (mut found, mut left) = (Files::new(), Left::new());
    for entry in archive.entries()? {
        let entry = entry?;
        if entry.header().entry_type().is_file() {
            let (name, size) = (entry.path()?.to_string_lossy().into_owned(), entry.size());
            found.push((name, left.text(size, entry)?));
        }
    }
    found.sort();
    Ok(found)
}

/// What reads surfaces here, for the evidence.
pub const READER: &str = concat!("holdpoint ", env!("CARGO_PKG_VERSION"), " (source)");

/// The surface of a library; `None` for an ecosystem whose libraries aren't read.
pub fn surface(ecosystem: Ecosystem, package: &str, files: &Files) -> Option<Surface> {
    let files: Vec<PackageFile<'_>> = files
        .iter()
        .map(|(path, text)| PackageFile {
            path,
            text: text.as_deref(),
        })
        .collect();
    match ecosystem {
        Ecosystem::Pypi => Some(read_python(package, &files, READER)),
        Ecosystem::Npm => Some(read_javascript(package, &files, READER)),
        Ecosystem::Cargo => Some(read_rust(package, &files, READER)),
        Ecosystem::Golang | Ecosystem::Maven => None,
    }
}

/// What files of a repo use.
pub fn usage(files: &Files) -> Usage {
    Usage::of(files.iter().map(|(path, text)| SourceFile {
        path,
        text: text.as_deref(),
    }))
}

/// A name as file names of archives spell it: PyPI's wheels (PEP 427) and source archives, npm's and Cargo's.
fn spelt(ecosystem: Ecosystem, name: &str) -> String {
    match ecosystem {
        Ecosystem::Pypi => name.to_lowercase().replace(['-', '.'], "_"),
        Ecosystem::Npm => name.trim_start_matches('@').replace('/', "-"),
        _ => name.to_owned(),
    }
}

/// Archives of a package in a folder, with the version that their names say; of several for one version the first.
pub fn archives(folder: &Path, ecosystem: Ecosystem, package: &str) -> Vec<(String, PathBuf)> {
    let wanted = spelt(ecosystem, package);
    let mut found: Vec<(String, PathBuf)> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            let name = path.file_name()?.to_str()?;
            let stem = match ecosystem {
                Ecosystem::Pypi => name.strip_suffix(".whl").or_else(|| name.strip_suffix(".tar.gz"))?,
                Ecosystem::Npm => name.strip_suffix(".tgz")?,
                Ecosystem::Cargo => name.strip_suffix(".crate")?,
                _ => return None,
            };
            let (own, rest) = stem.split_at_checked(wanted.len())?;
            let version = rest.strip_prefix('-')?;
            let version = match ecosystem {
                Ecosystem::Pypi if name.ends_with(".whl") => version.split('-').next()?,
                _ => version,
            };
            let own = if ecosystem == Ecosystem::Pypi {
                spelt(ecosystem, own)
            } else {
                own.to_owned()
            };
            let is_version = version.starts_with(|c: char| c.is_ascii_digit());
            (own == wanted && is_version).then(|| (version.to_owned(), path.clone()))
        })
        .collect();
    found.sort();
    found.dedup_by(|a, b| a.0 == b.0);
    found
}

/// The numbers that a version starts with, for the order of versions.
pub fn numbers(version: &str) -> Vec<u64> {
    version
        .split(['.', '-', '+'])
        .map_while(|part| part.parse().ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn archives_are_found_by_the_names_that_registries_give_them() {
        let folder = tempfile::tempdir().unwrap();
        for name in [
            "Ruamel.Yaml-0.17.1-py3-none-any.whl",
            "ruamel_yaml-0.18.0.tar.gz",
            "babel-core-7.0.0.tgz",
            "serde-1.0.1.crate",
            "serde-json-1.0.0.crate",
        ] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        let versions = |ecosystem, package| {
            archives(folder.path(), ecosystem, package)
                .into_iter()
                .map(|(version, _)| version)
                .collect::<Vec<_>>()
        };
        assert_eq!(versions(Ecosystem::Pypi, "ruamel.yaml"), ["0.17.1", "0.18.0"]);
        assert_eq!(versions(Ecosystem::Npm, "@babel/core"), ["7.0.0"]);
        assert_eq!(versions(Ecosystem::Cargo, "serde"), ["1.0.1"]);
    }

    #[test]
    fn a_file_that_is_too_large_is_there_without_its_text() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.py"), "x = 1\n").unwrap();
        std::fs::write(
            folder.path().join("b.py"),
            vec![b'#'; usize::try_from(MAX_FILE_BYTES).unwrap() + 1],
        )
        .unwrap();
        let files = read(folder.path()).unwrap();
        assert_eq!(
            files,
            [
                ("a.py".to_owned(), Some("x = 1\n".to_owned())),
                ("b.py".to_owned(), None)
            ]
        );
    }
}
