//! The files of a tree, for checks that only read.

use std::collections::{BTreeMap, BTreeSet};

use crate::sandbox::tree::{self, TreeError, TreeFile};

/// Longest file that is read as text, in bytes: a longer one was written by a machine.
const MAX_TEXT_BYTES: usize = 8 << 20;

/// A file of a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileText<'a> {
    /// UTF-8 text.
    Text(&'a str),
    /// It is there, but can't be read as text; why, for people.
    Unreadable(&'static str),
    /// There is no such file.
    Absent,
}

impl<'a> FileText<'a> {
    /// The text, if it is one.
    #[must_use]
    pub const fn text(self) -> Option<&'a str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Unreadable(_) | Self::Absent => None,
        }
    }
}

/// The files of one tree.
pub trait Files {
    /// Paths of all files relative to the root, with `/`, sorted.
    fn paths(&self) -> Vec<&str>;

    /// The file at a path.
    fn file(&self, path: &str) -> FileText<'_>;

    /// The content as bytes, by which a change is told even where it can't be read as text; of a link, its target.
    fn content(&self, path: &str) -> Option<&[u8]> {
        self.file(path).text().map(str::as_bytes)
    }
}

/// Paths whose content differs between two trees, or that only one of them has.
pub(crate) fn changed<'a>(base: &'a dyn Files, candidate: &'a dyn Files) -> BTreeSet<&'a str> {
    let paths: BTreeSet<&str> = base.paths().into_iter().chain(candidate.paths()).collect();
    paths
        .into_iter()
        .filter(|path| match (base.content(path), candidate.content(path)) {
            (Some(one), Some(two)) => one != two,
            _ => true,
        })
        .collect()
}

/// A tree without any file: what there is to say then hangs on fingerprints alone.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoFiles;

impl Files for NoFiles {
    fn paths(&self) -> Vec<&str> {
        Vec::new()
    }

    fn file(&self, _path: &str) -> FileText<'_> {
        FileText::Absent
    }
}

/// Texts by path.
impl Files for BTreeMap<String, String> {
    fn paths(&self) -> Vec<&str> {
        self.keys().map(String::as_str).collect()
    }

    fn file(&self, path: &str) -> FileText<'_> {
        self.get(path).map_or(FileText::Absent, |text| FileText::Text(text))
    }
}

/// The files of an uncompressed tar archive, not copied.
#[derive(Debug)]
pub struct ArchiveFiles<'a> {
    files: BTreeMap<String, (FileText<'a>, Vec<u8>, &'a [u8])>,
}

impl<'a> ArchiveFiles<'a> {
    /// Files of an archive.
    ///
    /// # Errors
    /// When it is no archive of a tree.
    pub fn read(archive: &'a [u8]) -> Result<Self, TreeError> {
        let mut files = BTreeMap::new();
        for (path, file) in tree::files(archive)? {
            let path = path.to_string_lossy().into_owned();
            let entry = match file {
                TreeFile::Link(target) => (
                    FileText::Unreadable("it is a symbolic link"),
                    target.into_os_string().into_encoded_bytes(),
                    [].as_slice(),
                ),
                TreeFile::Regular { content, .. } => (text(content), Vec::new(), content),
            };
            files.insert(path, entry);
        }
        Ok(Self { files })
    }
}

fn text(content: &[u8]) -> FileText<'_> {
    if content.len() > MAX_TEXT_BYTES {
        return FileText::Unreadable("it is too large");
    }
    match std::str::from_utf8(content) {
        Ok(text) if !text.contains('\0') => FileText::Text(text),
        _ => FileText::Unreadable("it is no UTF-8 text"),
    }
}

impl Files for ArchiveFiles<'_> {
    fn paths(&self) -> Vec<&str> {
        self.files.keys().map(String::as_str).collect()
    }

    fn file(&self, path: &str) -> FileText<'_> {
        self.files.get(path).map_or(FileText::Absent, |(text, ..)| *text)
    }

    fn content(&self, path: &str) -> Option<&[u8]> {
        self.files.get(path).map(
            |(_, link, content)| {
                if content.is_empty() { link.as_slice() } else { content }
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_differs_is_changed_and_what_is_no_text_says_so() {
        let archive = |files: &[(&str, &[u8])]| {
            let mut builder = tar::Builder::new(Vec::new());
            for (path, bytes) in files {
                let mut header = tar::Header::new_gnu();
                header.set_size(bytes.len() as u64);
                header.set_mode(0o644);
                builder.append_data(&mut header, path, *bytes).unwrap();
            }
            builder.into_inner().unwrap()
        };
        let base = archive(&[
            ("a", b"1"),
            ("b", b"1"),
            ("gone", b""),
            ("pic", b"\xff1"),
            ("same", b"\xff"),
        ]);
        let next = archive(&[
            ("a", b"1"),
            ("b", b"2"),
            ("come", b""),
            ("pic", b"\xff2"),
            ("same", b"\xff"),
        ]);
        let (base, next) = (ArchiveFiles::read(&base).unwrap(), ArchiveFiles::read(&next).unwrap());
        let changed: Vec<_> = changed(&base, &next).into_iter().collect();
        assert_eq!(changed, ["b", "come", "gone", "pic"]);
        assert_eq!(next.file("pic"), FileText::Unreadable("it is no UTF-8 text"));
        assert_eq!(next.file("gone"), FileText::Absent);
    }
}
