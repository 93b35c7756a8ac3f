//! Where a pack lies: in the binary, or in a folder.

use anyhow::Result;
use holdpoint_engine::policy::PolicySource;
use holdpoint_intake::SourceResult;
use holdpoint_schemas::SourceError;
use include_dir::{Dir, include_dir};
use std::ffi::OsStr;
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
        let path = root.join(name);
        if let Some(dir) = SHIPPED.get_dir(name).filter(|dir| dir.path().components().count() == 1) {
            if path.is_dir() {
                return Err(BadInput::new(
                    format!("`{name}` is a shipped pack and a folder here"),
                    format!("write `./{name}` for the folder; rename the folder to use the shipped pack"),
                )
                .into());
            }
            return Ok(Self::Shipped(dir));
        }
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

    /// The pack that this one extends: a shipped one extends shipped ones only, wherever it is asked for.
    ///
    /// # Errors
    /// When there is none of that name.
    pub fn find_base(&self, name: &str) -> Result<Self> {
        match (self, SHIPPED.get_dir(name)) {
            (Self::Folder { path, .. }, _) => Self::find(path, name),
            (Self::Shipped(_), Some(dir)) => Ok(Self::Shipped(dir)),
            (Self::Shipped(_), None) => anyhow::bail!("there is no shipped pack `{name}`"),
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
        path.file_name().map_or_else(
            || "pack".to_owned(),
            |name| name.to_string_lossy().replace(char::is_control, "_"),
        )
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
                // A link that leads nowhere is there: what it should hold mustn't be missed silently.
                if path.join(file).symlink_metadata().is_err() {
                    return Ok(None);
                }
                self.is_inside(path, file)?;
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
                if listed.symlink_metadata().is_err() {
                    return Ok(Vec::new());
                }
                let unreadable = |error: std::io::Error| {
                    Box::new(SourceError::new(self.label(folder), format!("can't be read: {error}")))
                };
                let mut names = Vec::new();
                for entry in std::fs::read_dir(&listed).map_err(unreadable)?.take(MAX_FILES + 1) {
                    let name = entry.map_err(unreadable)?.file_name();
                    names.push(join(&self.plain_name(folder, &name)?));
                }
                names
            }
        };
        if names.len() > MAX_FILES {
            return Err(Box::new(SourceError::new(
                self.label(folder),
                format!("holds more than {MAX_FILES} files"),
            )));
        }
        let other_case = |name: &&String| {
            let ending = name.rsplit('.').next().unwrap_or_default();
            !endings.contains(&ending) && endings.iter().any(|wanted| wanted.eq_ignore_ascii_case(ending))
        };
        if let Some(name) = names.iter().find(other_case) {
            let error = SourceError::new(self.label(name), "isn't read: its ending isn't in lower case");
            return Err(Box::new(error.help("rename it, so that what it says holds")));
        }
        let wanted = |name: &String| endings.iter().any(|ending| name.ends_with(&format!(".{ending}")));
        names.retain(|name| wanted(name) && !name.rsplit('/').next().is_some_and(|file| file.starts_with('.')));
        names.sort();
        Ok(names)
    }

    /// A file's name as text that can be shown.
    fn plain_name(&self, folder: &str, name: &OsStr) -> SourceResult<String> {
        match name.to_str().filter(|name| !name.chars().any(char::is_control)) {
            Some(name) => Ok(name.to_owned()),
            None => {
                let message = format!("holds a file with a name that can't be shown: {name:?}");
                let error = SourceError::new(self.label(folder), message);
                Err(Box::new(error.help("rename it: letters, digits and hyphens")))
            }
        }
    }

    /// Refuses a link that leads out of the pack: a pack may be somebody else's proposal.
    fn is_inside(&self, folder: &Path, file: &str) -> SourceResult<()> {
        let target = folder.join(file).canonicalize();
        let inside = match (target, folder.canonicalize()) {
            (Ok(target), Ok(folder)) => target.starts_with(folder),
            // It is told by whoever reads it.
            _ => true,
        };
        if inside {
            return Ok(());
        }
        let error = SourceError::new(self.label(file), "is a link that leads out of the pack");
        Err(Box::new(error.help("put the file itself into the pack's folder")))
    }

    /// Folders right in the pack that hold policies which nobody reads.
    pub fn stray_folders(&self) -> Vec<String> {
        let Self::Folder { path, .. } = self else {
            return Vec::new();
        };
        let folders = std::fs::read_dir(path).into_iter().flatten().flatten();
        let names = folders.filter_map(|entry| entry.file_name().into_string().ok());
        let mut strays: Vec<String> = names
            .filter(|name| !name.starts_with('.') && !super::FOLDERS.contains(&name.as_str()))
            .filter(|name| self.names(name, &["cedar"]).is_ok_and(|files| !files.is_empty()))
            .collect();
        strays.sort();
        strays
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
