//! Files of a tree that is given as an archive, as the sandbox gets it.

use std::collections::BTreeMap;
use std::io::{self, Read as _};

use super::{ECOSYSTEMS, Files};

/// Largest manifest or lockfile that is read, in bytes: lockfiles of monorepos have a few MiB.
const MAX_TEXT_BYTES: u64 = 16 << 20;
/// Bytes of all of them together.
const MAX_ALL_BYTES: u64 = 64 << 20;
/// Further files that toolchains read, besides the manifests that mark them.
const ALSO_READ: [&str; 6] = [
    "Cargo.lock",
    "uv.lock",
    "poetry.lock",
    "yarn.lock",
    ".yarnrc.yml",
    "setup.cfg",
];

/// Files of an uncompressed tar archive: all paths, and the text of what may be a manifest.
#[derive(Debug, Default)]
pub struct ArchiveFiles(BTreeMap<String, Option<String>>);

impl ArchiveFiles {
    /// Reads an archive.
    ///
    /// # Errors
    /// When it is no complete tar archive.
    pub fn read(tar: &[u8]) -> io::Result<Self> {
        let mut files = BTreeMap::new();
        let mut left = MAX_ALL_BYTES;
        for entry in tar::Archive::new(tar).entries()? {
            let entry = entry?;
            if !entry.header().entry_type().is_file() {
                continue;
            }
            let Ok(path) = String::from_utf8(entry.path_bytes().into_owned()) else {
                continue;
            };
            let path = path.trim_start_matches("./").to_owned();
            let bound = left.min(MAX_TEXT_BYTES);
            let mut text = None;
            if is_read(&path) && entry.size() <= bound {
                let mut bytes = Vec::new();
                entry.take(bound).read_to_end(&mut bytes)?;
                left -= bytes.len() as u64;
                text = String::from_utf8(bytes).ok();
            }
            files.insert(path, text);
        }
        Ok(Self(files))
    }
}

fn is_read(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    let requirements = name.ends_with(".txt") && path.contains("requirements");
    requirements
        || ALSO_READ.contains(&name)
        || ECOSYSTEMS
            .iter()
            .flat_map(|ecosystem| ecosystem.iter())
            .any(|toolchain| toolchain.marks.contains(&name))
}

impl Files for ArchiveFiles {
    fn paths(&self) -> Vec<String> {
        self.0.keys().cloned().collect()
    }

    fn text(&self, path: &str) -> Option<String> {
        self.0.get(path).cloned().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_paths_are_listed_and_manifests_are_read() {
        let mut builder = tar::Builder::new(Vec::new());
        for (path, text) in [
            ("./package.json", "{}"),
            ("src/main.js", "1"),
            ("a/requirements/dev.txt", "x"),
        ] {
            let mut header = tar::Header::new_gnu();
            header.set_size(text.len() as u64);
            header.set_mode(0o644);
            builder.append_data(&mut header, path, text.as_bytes()).unwrap();
        }
        let files = ArchiveFiles::read(&builder.into_inner().unwrap()).unwrap();
        assert_eq!(files.paths(), ["a/requirements/dev.txt", "package.json", "src/main.js"]);
        assert_eq!(files.text("package.json").as_deref(), Some("{}"));
        assert_eq!(files.text("a/requirements/dev.txt").as_deref(), Some("x"));
        assert_eq!(files.text("src/main.js"), None, "sources aren't kept");
    }

    #[test]
    fn a_broken_archive_is_an_error() {
        assert!(ArchiveFiles::read(&[b'x'; 1024]).is_err());
    }
}
