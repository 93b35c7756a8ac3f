//! Where a pack lies: in the binary, or in a folder.

use anyhow::Result;
use holdpoint_engine::policy::PolicySource;
use holdpoint_intake::SourceResult;
use holdpoint_schemas::SourceError;
use include_dir::{Dir, include_dir};
use std::path::{Path, PathBuf};

use crate::failure::BadInput;
use crate::pipeline::estate::read_text;

static SHIPPED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/policies");

/// Most files of one kind in a pack: ten times what a large organisation has.
const MAX_FILES: usize = 10_000;

/// Where a pack lies.
#[derive(Debug, Clone)]
pub enum Place {
    /// In the binary.
    Shipped(&'static Dir<'static>),
    /// In a folder; with the name that people know it by.
    Folder {
        /// The folder.
        path: PathBuf,
        /// How errors call it.
        label: String,
    },
}

/// Names of the shipped packs.
pub fn shipped() -> Vec<String> {
    SHIPPED.dirs().map(|dir| dir.path().display().to_string()).collect()
}

impl Place {
    /// The shipped pack of that name, else the folder relative to `root`.
    ///
    /// # Errors
    /// When there is neither.
    pub fn find(root: &Path, name: &str) -> Result<Self> {
        if let Some(dir) = SHIPPED.get_dir(name).filter(|dir| dir.path().components().count() == 1) {
            return Ok(Self::Shipped(dir));
        }
        let path = root.join(name);
        match path.metadata() {
            Ok(metadata) if metadata.is_dir() => Ok(Self::Folder {
                path,
                label: name.trim_end_matches('/').to_owned(),
            }),
            found => {
                let why = found
                    .err()
                    .map_or_else(|| "it isn't a folder".to_owned(), |e| e.to_string());
                Err(BadInput::new(
                    format!("there is no policy pack `{name}`: {why}"),
                    format!(
                        "name a folder of `.cedar` files, or a shipped pack: {}",
                        shipped().join(", ")
                    ),
                )
                .into())
            }
        }
    }

    /// What tells this place from others, however it was named.
    pub fn identity(&self) -> PathBuf {
        match self {
            Self::Shipped(dir) => Path::new("shipped").join(dir.path()),
            Self::Folder { path, .. } => path.canonicalize().unwrap_or_else(|_| path.clone()),
        }
    }

    /// The folder, unless it is in the binary.
    pub fn folder(&self) -> Option<&Path> {
        match self {
            Self::Shipped(_) => None,
            Self::Folder { path, .. } => Some(path),
        }
    }

    /// How errors call a file of this pack.
    pub fn label(&self, file: &str) -> String {
        match self {
            Self::Shipped(dir) => format!("policies/{}/{file}", dir.path().display()),
            Self::Folder { label, .. } => format!("{label}/{file}"),
        }
    }

    /// The pack's own name where it doesn't say one: that of its folder.
    pub fn name(&self) -> String {
        let path = match self {
            Self::Shipped(dir) => dir.path().to_owned(),
            Self::Folder { path, .. } => path.canonicalize().unwrap_or_else(|_| path.clone()),
        };
        path.file_name()
            .map_or_else(|| "pack".to_owned(), |name| name.to_string_lossy().into_owned())
    }

    /// The text of a file, or `None` if there is no such file.
    ///
    /// # Errors
    /// When it can't be read as text.
    pub fn read(&self, file: &str) -> SourceResult<Option<PolicySource>> {
        let text = match self {
            Self::Shipped(dir) => match dir.get_file(dir.path().join(file)) {
                None => return Ok(None),
                Some(found) => found.contents_utf8().unwrap_or_default().to_owned(),
            },
            Self::Folder { path, .. } => {
                if !path.join(file).exists() {
                    return Ok(None);
                }
                read_text(path, file).map_err(|error| self.unreadable(file, &error))?
            }
        };
        Ok(Some(PolicySource {
            path: self.label(file),
            text,
        }))
    }

    /// The files with one of these endings right in `folder` (empty: the pack's own), by name.
    ///
    /// # Errors
    /// Every file that can't be read as text, and a folder with too many files.
    pub fn files(&self, folder: &str, endings: &[&str]) -> (Vec<PolicySource>, Vec<SourceError>) {
        let names = match self.names(folder, endings) {
            Ok(names) => names,
            Err(error) => return (Vec::new(), vec![*error]),
        };
        let (mut found, mut errors) = (Vec::new(), Vec::new());
        for name in names {
            match self.read(&name) {
                Ok(source) => found.extend(source),
                Err(error) => errors.push(*error),
            }
        }
        (found, errors)
    }

    fn names(&self, folder: &str, endings: &[&str]) -> SourceResult<Vec<String>> {
        let join = |name: &str| {
            if folder.is_empty() {
                name.to_owned()
            } else {
                format!("{folder}/{name}")
            }
        };
        let mut names: Vec<String> = match self {
            Self::Shipped(dir) => {
                let inner = if folder.is_empty() {
                    Some(*dir)
                } else {
                    dir.get_dir(dir.path().join(folder))
                };
                let files = inner.into_iter().flat_map(Dir::files);
                files
                    .filter_map(|file| Some(join(file.path().file_name()?.to_str()?)))
                    .collect()
            }
            Self::Folder { path, .. } => {
                let listed = path.join(folder);
                if !listed.exists() {
                    return Ok(Vec::new());
                }
                let listing = std::fs::read_dir(&listed).map_err(|error| {
                    Box::new(SourceError::new(self.label(folder), format!("can't be read: {error}")))
                })?;
                let names = listing
                    .flatten()
                    .map(|entry| entry.file_name().to_string_lossy().into_owned());
                names.take(MAX_FILES + 1).map(|name| join(&name)).collect()
            }
        };
        if names.len() > MAX_FILES {
            return Err(Box::new(SourceError::new(
                self.label(folder),
                format!("holds more than {MAX_FILES} files"),
            )));
        }
        let wanted = |name: &String| endings.iter().any(|ending| name.ends_with(&format!(".{ending}")));
        names.retain(|name| wanted(name) && !name.rsplit('/').next().is_some_and(|file| file.starts_with('.')));
        names.sort();
        Ok(names)
    }

    fn unreadable(&self, file: &str, error: &anyhow::Error) -> Box<SourceError> {
        let (message, help) = match crate::failure::source_error(error) {
            Some(source) => (source.message.clone(), source.help.clone()),
            None => (format!("can't be read: {error:#}"), None),
        };
        let located = SourceError::new(self.label(file), message);
        Box::new(match help {
            Some(help) => located.help(help),
            None => located,
        })
    }
}
