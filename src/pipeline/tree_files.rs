//! Files of a tree, out of the archive that goes into the sandbox.

use holdpoint_intake::report::SourceLines;
use std::collections::BTreeMap;
use std::io::Read as _;
use std::sync::{Arc, OnceLock};

/// A longer file is no source that a finding points into.
const MAX_TEXT_BYTES: u64 = 8 << 20;

/// A tree's text files, unpacked in memory when first asked for.
pub struct TreeFiles {
    archive: Arc<[u8]>,
    texts: OnceLock<Result<BTreeMap<String, String>, String>>,
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
        self.unpacked().clone()
    }

    fn unpacked(&self) -> &Result<BTreeMap<String, String>, String> {
        self.texts
            .get_or_init(|| unpack(&self.archive).map_err(|error| error.to_string()))
    }
}

impl SourceLines for TreeFiles {
    fn line(&self, path: &str, line: u32) -> Option<String> {
        let text = self.unpacked().as_ref().ok()?.get(path)?;
        text.lines()
            .nth(usize::try_from(line).ok()?.checked_sub(1)?)
            .map(str::to_owned)
    }
}

fn unpack(archive: &[u8]) -> std::io::Result<BTreeMap<String, String>> {
    let mut texts = BTreeMap::new();
    for entry in tar::Archive::new(archive).entries()? {
        let mut entry = entry?;
        if !entry.header().entry_type().is_file() || entry.size() > MAX_TEXT_BYTES {
            continue;
        }
        let path = entry.path()?.to_string_lossy().into_owned();
        let mut text = String::new();
        if entry.read_to_string(&mut text).is_ok() {
            texts.insert(path, text);
        }
    }
    Ok(texts)
}
