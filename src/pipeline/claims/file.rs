//! One file of the estate while it is edited: replaced whole or not at all.

use anyhow::{Context, Result};
use holdpoint_schemas::SourceError;
use std::fs::{File, TryLockError};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::failure::BadInput;
use crate::pipeline::estate::read_text;

/// How long another `holdpoint` may hold the estate's files: a person may be typing a passphrase.
const PATIENCE: Duration = Duration::from_secs(20);
/// Pause between looks at the lock.
const PAUSE: Duration = Duration::from_millis(25);

/// A file of the estate, and the text that was read from it.
pub struct EditedFile {
    root: PathBuf,
    shown: String,
    folder: PathBuf,
    name: String,
    text: String,
}

impl EditedFile {
    /// Reads a plain file that lies in the estate.
    ///
    /// # Errors
    /// When it is a symbolic link or something else, lies elsewhere, or can't be read.
    pub fn open(root: &Path, shown: &str) -> Result<Self> {
        let path = root.join(shown);
        let unreadable = |error| SourceError::new(shown, format!("can't be read: {error}"));
        let kind = path.symlink_metadata().map_err(|error| {
            unreadable(error).help("nothing was written: take the file from git again, or make an empty one")
        })?;
        if kind.is_symlink() {
            return Err(SourceError::new(shown, "is a symbolic link")
                .help("name the file that it leads to in `holdpoint.yaml`; a link is never replaced")
                .into());
        }
        let folder = path.parent().unwrap_or(root).canonicalize().map_err(unreadable)?;
        let name = path.file_name().and_then(|name| name.to_str()).map(str::to_owned);
        let Some(name) = name.filter(|_| folder.starts_with(root)) else {
            return Err(SourceError::new(shown, "leads out of the estate's folder")
                .help("name a file of the estate in `holdpoint.yaml`")
                .into());
        };
        Ok(Self {
            root: root.to_owned(),
            shown: shown.to_owned(),
            text: read_text(root, shown)?,
            folder,
            name,
        })
    }

    /// The text as it was read.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The file as the estate names it.
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// Its name in its folder.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Puts a new text in the place of the one that was read.
    ///
    /// # Errors
    /// When somebody else changed the file meanwhile, or it can't be written.
    pub fn replace(&self, new: &str) -> Result<()> {
        self.swap(&self.text, new)
    }

    /// Takes a replacement back.
    ///
    /// # Errors
    /// As [`Self::replace`].
    pub fn restore(&self, new: &str) -> Result<()> {
        self.swap(new, &self.text).with_context(|| {
            format!(
                "taking the change of `{}` back; look at it before you go on",
                self.shown
            )
        })
    }

    fn swap(&self, old: &str, new: &str) -> Result<()> {
        let doing = || format!("writing `{}`", self.shown);
        let path = self.folder.join(&self.name);
        let mut temporary = tempfile::Builder::new()
            .prefix(&format!(".{}.", self.name))
            .tempfile_in(&self.folder)
            .with_context(doing)?;
        temporary.write_all(new.as_bytes()).with_context(doing)?;
        let permissions = std::fs::metadata(&path).with_context(doing)?.permissions();
        temporary.as_file().set_permissions(permissions).with_context(doing)?;
        temporary.as_file().sync_all().with_context(doing)?;
        if read_text(&self.root, &self.shown)? != old {
            return Err(BadInput::new(
                format!("`{}` was changed by somebody else just now", self.shown),
                "nothing was written; look at the file and try again",
            )
            .into());
        }
        temporary.persist(&path).with_context(doing)?;
        Ok(())
    }
}

/// Waits until no other `holdpoint` edits files of this estate. The lock goes with the process, and
/// leaves nothing behind.
///
/// # Errors
/// When another one takes too long, or the file can't be locked.
pub fn lock(config: &Path) -> Result<File> {
    let file = File::open(config).context("opening the estate's config to lock it")?;
    let started = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if started.elapsed() < PATIENCE => std::thread::sleep(PAUSE),
            Err(TryLockError::WouldBlock) => {
                return Err(BadInput::new(
                    "another `holdpoint` is changing files of this estate",
                    "see whether it waits for a passphrase; nothing was written",
                )
                .into());
            }
            Err(TryLockError::Error(error)) => return Err(error).context("locking the estate's config"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_somebody_else_changed_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let path = root.join("a.yaml");
        std::fs::write(&path, "old").unwrap();
        let file = EditedFile::open(&root, "a.yaml").unwrap();
        std::fs::write(&path, "theirs").unwrap();
        let error = file.replace("ours").unwrap_err();
        assert!(error.to_string().contains("somebody else"), "{error}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "theirs");
        assert_eq!(std::fs::read_dir(&root).unwrap().count(), 1, "no temporary file stays");
    }

    #[test]
    fn a_replacement_keeps_the_mode_and_can_be_taken_back() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let path = root.join("a.yaml");
        std::fs::write(&path, "old").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        let file = EditedFile::open(&root, "a.yaml").unwrap();
        file.replace("new").unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
        file.restore("new").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "old");
    }
}
