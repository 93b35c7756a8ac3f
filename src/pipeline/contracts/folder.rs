//! The files of a folder, read only when they are asked for.

use anyhow::Result;
use holdpoint_contract::{Sources, Unreadable};
use holdpoint_schemas::SourceError;
use std::cell::Cell;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::{MAX_ALL_BYTES, MAX_FILE_BYTES, MAX_FILES, inside, text};

/// Deepest folder that is looked into.
const MAX_DEPTH: usize = 40;
/// Folders that hold no contract of the folder's own.
const PASSED_OVER: [&str; 3] = ["node_modules", "target", "vendor"];

/// The files of a folder, or one file and what it refers to in its folder. No link leads out of it.
pub struct Folder {
    root: PathBuf,
    paths: Vec<String>,
    links: Vec<String>,
    read: Cell<u64>,
}

impl Folder {
    /// The files of a folder, or a file.
    ///
    /// # Errors
    /// When it can't be read, or has too many files.
    pub fn open(path: &Path) -> Result<Self> {
        let name = path.to_string_lossy();
        let wrong = |why: String| SourceError::new(&name, why).help("give a file or a folder of contracts");
        let known = std::fs::metadata(path).map_err(|error| wrong(format!("can't be read: {error}")))?;
        let (mut paths, mut links) = (Vec::new(), Vec::new());
        let root = if known.is_dir() {
            list(path, "", 0, &mut paths, &mut links).map_err(&wrong)?;
            paths.sort();
            links.sort();
            path
        } else if known.is_file() {
            let file = path.file_name().unwrap_or_default();
            paths.push(file.to_string_lossy().into_owned());
            path.parent()
                .filter(|parent| !parent.as_os_str().is_empty())
                .unwrap_or_else(|| Path::new("."))
        } else {
            return Err(wrong("is no plain file".to_owned()).into());
        };
        let root = root
            .canonicalize()
            .map_err(|error| wrong(format!("can't be read: {error}")))?;
        // What lies in the folder under a name of the same ending is compared there.
        links.retain(|link| !leads_to_one_of(&root, link, &paths));
        Ok(Self {
            root,
            paths,
            links,
            read: Cell::new(0),
        })
    }
}

/// Whether a link leads to a listed file that its name calls alike, or to a folder of the root's own.
fn leads_to_one_of(root: &Path, link: &str, paths: &[String]) -> bool {
    let Ok(real) = root.join(link).canonicalize() else {
        return false;
    };
    let Some(inside) = real.strip_prefix(root).ok().and_then(Path::to_str) else {
        return false;
    };
    let ending = |path: &str| path.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
    match link.ends_with('/') {
        true => paths.iter().any(|path| path.starts_with(&format!("{inside}/"))),
        false => ending(inside) == ending(link) && paths.iter().any(|path| path == inside),
    }
}

/// Adds the files below a folder, and the links, which aren't followed; a linked folder's path ends with `/`.
fn list(
    folder: &Path,
    prefix: &str,
    depth: usize,
    paths: &mut Vec<String>,
    links: &mut Vec<String>,
) -> Result<(), String> {
    if depth > MAX_DEPTH {
        return Err(format!("has folders deeper than {MAX_DEPTH} levels"));
    }
    let unreadable = |error: std::io::Error| format!("can't be read: {error}");
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let kind = entry.file_type().map_err(unreadable)?;
        let name = entry.file_name();
        // What isn't UTF-8 can't be referred to.
        let Some(name) = name.to_str().filter(|name| !name.starts_with('.')) else {
            continue;
        };
        let path = format!("{prefix}{name}");
        if kind.is_dir() && !PASSED_OVER.contains(&name) {
            list(&entry.path(), &format!("{path}/"), depth + 1, paths, links)?;
        } else if kind.is_file() {
            paths.push(path);
        } else if kind.is_symlink() {
            let is_folder = std::fs::metadata(entry.path()).is_ok_and(|known| known.is_dir());
            links.push(if is_folder { format!("{path}/") } else { path });
        }
        if paths.len() + links.len() > MAX_FILES {
            return Err(format!("holds more than {MAX_FILES} files"));
        }
    }
    Ok(())
}

impl Sources for &Folder {
    fn paths(&self) -> Vec<String> {
        (**self).paths()
    }

    fn links(&self) -> Vec<String> {
        (**self).links()
    }

    fn read(&self, path: &str) -> Result<String, Unreadable> {
        (**self).read(path)
    }
}

impl Sources for Folder {
    fn paths(&self) -> Vec<String> {
        self.paths.clone()
    }

    fn links(&self) -> Vec<String> {
        self.links.clone()
    }

    fn read(&self, path: &str) -> Result<String, Unreadable> {
        let path = self.root.join(inside(path)?);
        let failed = |error: std::io::Error| match error.kind() {
            std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory => Unreadable::Missing,
            _ => Unreadable::Other(error.to_string()),
        };
        // Through whatever links: where does it really lie?
        let real = path.canonicalize().map_err(failed)?;
        if !real.starts_with(&self.root) {
            return Err(Unreadable::Outside);
        }
        // A pipe would be waited for, a device read without end.
        if !std::fs::metadata(&real).map_err(failed)?.is_file() {
            return Err(Unreadable::Other("it is no plain file".to_owned()));
        }
        let mut bytes = Vec::new();
        let file = std::fs::File::open(&real).map_err(failed)?;
        file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(failed)?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn a_folder_lists_its_files_and_reads_none_that_lie_elsewhere() {
        let outer = tempfile::tempdir().unwrap();
        let root = outer.path().join("api");
        std::fs::create_dir_all(root.join("v1/.git")).unwrap();
        std::fs::create_dir_all(root.join("node_modules")).unwrap();
        for (path, text) in [
            ("openapi.yaml", "a"),
            ("v1/pets.yaml", "b"),
            ("v1/.git/config", "c"),
            ("node_modules/x.yaml", "d"),
            ("../secret.yaml", "e"),
            ("latin.yaml", "f"),
        ] {
            std::fs::write(root.join(path), text).unwrap();
        }
        std::fs::write(root.join("latin.yaml"), b"\xe9").unwrap();
        symlink(outer.path().join("secret.yaml"), root.join("out.yaml")).unwrap();
        symlink(root.join("openapi.yaml"), root.join("v1/same.yaml")).unwrap();
        let folder = Folder::open(&root).unwrap();
        assert_eq!(folder.paths(), ["latin.yaml", "openapi.yaml", "v1/pets.yaml"]);
        assert_eq!(folder.read("v1/../openapi.yaml").unwrap(), "a");
        assert_eq!(folder.read("v1/same.yaml").unwrap(), "a");
        assert_eq!(folder.read("out.yaml"), Err(Unreadable::Outside));
        assert_eq!(folder.read("../secret.yaml"), Err(Unreadable::Outside));
        assert_eq!(folder.read("gone.yaml"), Err(Unreadable::Missing));
        assert!(matches!(folder.read("v1"), Err(Unreadable::Other(_))));
        assert!(matches!(folder.read("latin.yaml"), Err(Unreadable::Other(_))));
        let file = Folder::open(&root.join("openapi.yaml")).unwrap();
        assert_eq!(file.paths(), ["openapi.yaml"]);
        assert_eq!(file.read("v1/pets.yaml").unwrap(), "b");
        assert!(Folder::open(&root.join("gone")).is_err());
    }

    #[test]
    fn a_file_that_is_too_large_is_not_read() {
        let root = tempfile::tempdir().unwrap();
        let file = std::fs::File::create(root.path().join("a.yaml")).unwrap();
        file.set_len(MAX_FILE_BYTES + 1).unwrap();
        let folder = Folder::open(root.path()).unwrap();
        assert_eq!(
            folder.read("a.yaml"),
            Err(Unreadable::TooLarge { limit: MAX_FILE_BYTES })
        );
    }
}
