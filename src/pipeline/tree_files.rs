//! Files of a tree, out of the archive that goes into the sandbox.

use holdpoint_intake::report::SourceLines;
use std::collections::BTreeMap;
use std::io::Read as _;
use std::sync::{Arc, OnceLock};

/// A longer file is no source that a finding points into.
const MAX_TEXT_BYTES: u64 = 8 << 20;

/// A tree's files, unpacked.
#[derive(Debug, Clone, Default)]
struct Unpacked {
    texts: BTreeMap<String, String>,
    unread: Vec<String>,
}

/// A tree's text files, unpacked in memory when first asked for.
pub struct TreeFiles {
    archive: Arc<[u8]>,
    texts: OnceLock<Result<Unpacked, String>>,
}

impl TreeFiles {
    /// Files of an uncompressed tar archive.
    pub const fn new(archive: Arc<[u8]>) -> Self {
        Self {
            archive,
            texts: OnceLock::new(),
        }
    }

    /// Every text file, by path in the repo.
    ///
    /// # Errors
    /// When the archive can't be read.
    pub fn texts(&self) -> Result<BTreeMap<String, String>, String> {
        self.unpacked().clone().map(|unpacked| unpacked.texts)
    }

    /// Files that are no UTF-8 text, or too long to be source.
    ///
    /// # Errors
    /// When the archive can't be read.
    pub fn unread(&self) -> Result<Vec<String>, String> {
        self.unpacked().clone().map(|unpacked| unpacked.unread)
    }

    fn unpacked(&self) -> &Result<Unpacked, String> {
        self.texts
            .get_or_init(|| unpack(&self.archive).map_err(|error| error.to_string()))
    }
}

impl SourceLines for TreeFiles {
    fn line(&self, path: &str, line: u32) -> Option<String> {
        let text = self.unpacked().as_ref().ok()?.texts.get(path)?;
        text.lines()
            .nth(usize::try_from(line).ok()?.checked_sub(1)?)
            .map(str::to_owned)
    }
}

fn unpack(archive: &[u8]) -> std::io::Result<Unpacked> {
    let mut unpacked = Unpacked::default();
    for entry in tar::Archive::new(archive).entries()? {
        let mut entry = entry?;
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let path = entry.path()?.to_string_lossy().into_owned();
        let mut text = String::new();
        if entry.size() <= MAX_TEXT_BYTES && entry.read_to_string(&mut text).is_ok() {
            unpacked.texts.insert(path, text);
        } else {
            unpacked.unread.push(path);
        }
    }
    Ok(unpacked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_no_text_is_named_and_not_left_out_silently() {
        let mut builder = tar::Builder::new(Vec::new());
        for (path, bytes) in [("a.txt", b"a".as_slice()), ("requirements.txt", b"# \xe9\n".as_slice())] {
            let mut header = tar::Header::new_gnu();
            header.set_size(bytes.len() as u64);
            header.set_cksum();
            builder.append_data(&mut header, path, bytes).unwrap();
        }
        let files = TreeFiles::new(builder.into_inner().unwrap().into());
        assert_eq!(files.unread().unwrap(), ["requirements.txt"]);
        assert_eq!(files.texts().unwrap().len(), 1);
    }
}
