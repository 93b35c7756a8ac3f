//! Files that are written together or not at all, and never over another.

use anyhow::{Context, Result};
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::failure::BadInput;

/// A file to be written.
#[derive(Debug)]
pub(super) struct NewFile {
    pub(super) path: PathBuf,
    /// How messages call it.
    pub(super) label: String,
    pub(super) text: String,
}

/// Writes new files; if one can't be written, takes the others away again.
///
/// # Errors
/// When one is there already, or can't be written.
pub(super) fn create_all(files: &[NewFile]) -> Result<()> {
    if let Some(there) = files.iter().find(|file| file.path.exists()) {
        return Err(already(&there.label).into());
    }
    let mut written: Vec<&Path> = Vec::new();
    for file in files {
        if let Err(error) = create(file) {
            for path in written {
                // What can't be taken away again is named by the error that follows.
                let _ = std::fs::remove_file(path);
            }
            return Err(error);
        }
        written.push(&file.path);
    }
    Ok(())
}

fn create(file: &NewFile) -> Result<()> {
    if let Some(folder) = file.path.parent() {
        std::fs::create_dir_all(folder).with_context(|| format!("making the folder of `{}`", file.label))?;
    }
    let opened = OpenOptions::new().write(true).create_new(true).open(&file.path);
    let mut new = opened.map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => already(&file.label).into(),
        _ => anyhow::Error::new(error).context(format!("writing `{}`", file.label)),
    })?;
    new.write_all(file.text.as_bytes())
        .with_context(|| format!("writing `{}`", file.label))
}

fn already(label: &str) -> BadInput {
    BadInput::new(
        format!("`{label}` is there already, and nothing is overwritten"),
        "choose another id, or edit the file",
    )
}

/// Replaces a file in one step, so that a killed process leaves the old or the new one.
///
/// # Errors
/// When it can't be written.
pub(super) fn replace(file: &NewFile) -> Result<()> {
    replace_text(&file.path, &file.text).with_context(|| format!("writing `{}`", file.label))
}

/// Replaces what a file says in one step.
///
/// # Errors
/// When it can't be written.
pub fn replace_text(path: &Path, text: &str) -> Result<()> {
    let path = path.canonicalize()?;
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().set_permissions(path.metadata()?.permissions())?;
    file.persist(&path)?;
    Ok(())
}
