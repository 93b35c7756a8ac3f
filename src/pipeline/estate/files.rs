//! Reading files that an estate names: bounded, and never a pipe or a device.

use anyhow::{Context, Result};
use holdpoint_schemas::{Digest, SourceError};
use std::path::Path;

/// Files larger than this are not read: no catalogue or report that people keep is larger.
const MAX_FILE_BYTES: u64 = 64 << 20;
/// Files of one catalogue or advisory folder.
const MAX_FOLDER_FILES: usize = 20_000;

/// Names and texts of files, borrowed.
pub fn borrowed(files: &[(String, String)]) -> Vec<(&str, &str)> {
    files
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()))
        .collect()
}

/// Reads a file as bytes, bounded. `file` is relative to `root`, or absolute.
///
/// # Errors
/// A [`SourceError`] that names the file.
pub fn read_bytes(root: &Path, file: &str) -> Result<Vec<u8>> {
    let path = root.join(file);
    let size = std::fs::metadata(&path).map_err(|error| SourceError::new(file, format!("can't be read: {error}")))?;
    if size.is_dir() {
        return Err(SourceError::new(file, "is a folder; a file was expected").into());
    }
    // A pipe would be waited for, a device read without end.
    if !size.is_file() {
        return Err(SourceError::new(file, "is no plain file").into());
    }
    if size.len() > MAX_FILE_BYTES {
        return Err(SourceError::new(
            file,
            format!("is {} bytes long; at most {MAX_FILE_BYTES} are read", size.len()),
        )
        .into());
    }
    std::fs::read(&path).map_err(|error| SourceError::new(file, format!("can't be read: {error}")).into())
}

/// Reads a file as UTF-8 text, bounded.
///
/// # Errors
/// A [`SourceError`] that names the file, and the line where it stops being UTF-8.
pub fn read_text(root: &Path, file: &str) -> Result<String> {
    let bytes = read_bytes(root, file)?;
    String::from_utf8(bytes).map_err(|error| {
        let valid = error
            .as_bytes()
            .get(..error.utf8_error().valid_up_to())
            .unwrap_or_default();
        let line = valid.iter().filter(|byte| **byte == b'\n').count() + 1;
        SourceError::new(file, format!("isn't UTF-8 text (line {line})"))
            .help("save it as UTF-8")
            .into()
    })
}

/// Reads a file, or the files with one of these endings in a folder (one level), by name.
pub fn read_folder<T: FromBytes>(root: &Path, entry: &str, endings: &[&str]) -> Result<Vec<(String, T)>> {
    let path = root.join(entry);
    if path.is_file() {
        return Ok(vec![(entry.to_owned(), T::read(root, entry)?)]);
    }
    let listing =
        std::fs::read_dir(&path).map_err(|error| SourceError::new(entry, format!("can't be read: {error}")))?;
    let mut names = Vec::new();
    for item in listing {
        let name = item
            .with_context(|| format!("listing `{entry}`"))?
            .file_name()
            .to_string_lossy()
            .into_owned();
        if endings.iter().any(|ending| name.ends_with(&format!(".{ending}"))) {
            names.push(format!("{}/{name}", entry.trim_end_matches('/')));
        }
        if names.len() > MAX_FOLDER_FILES {
            return Err(SourceError::new(entry, format!("holds more than {MAX_FOLDER_FILES} files")).into());
        }
    }
    names.sort();
    names
        .into_iter()
        .map(|name| Ok((name.clone(), T::read(root, &name)?)))
        .collect()
}

/// Deepest folder of rules that is looked into.
const MAX_DEPTH: usize = 16;

/// Names and digests of all files below an entry; of what can't be read, why.
pub fn contents(root: &Path, entry: &str, depth: usize, parts: &mut Vec<Vec<u8>>) {
    parts.push(entry.as_bytes().to_vec());
    match std::fs::read_dir(root.join(entry)) {
        Ok(listing) if depth < MAX_DEPTH => {
            let mut names: Vec<String> = listing
                .flatten()
                .map(|item| item.file_name().to_string_lossy().into_owned())
                .collect();
            names.sort();
            for name in names {
                contents(root, &format!("{entry}/{name}"), depth + 1, parts);
            }
        }
        Ok(_) => parts.push(b"too deep".to_vec()),
        Err(_) => parts.push(match read_bytes(root, entry) {
            Ok(bytes) => Digest::of_bytes(&bytes).to_string().into_bytes(),
            Err(error) => error.to_string().into_bytes(),
        }),
    }
}

/// Either text or bytes of a file.
pub trait FromBytes: Sized {
    /// Reads the file.
    fn read(root: &Path, file: &str) -> Result<Self>;
}

impl FromBytes for String {
    fn read(root: &Path, file: &str) -> Result<Self> {
        read_text(root, file)
    }
}

impl FromBytes for Vec<u8> {
    fn read(root: &Path, file: &str) -> Result<Self> {
        read_bytes(root, file)
    }
}
