//! A patch as a bot, a model or a person hands it over: parsed strictly, refused early.
//!
//! Only this parser reads the foreign text. What libgit2 applies later is written anew from the
//! parsed form ([`Patch::canonical`]), so the two can't understand the same text differently.

mod hunk;
mod name;

pub(crate) use name::quoted;

use std::collections::BTreeSet;
use std::fmt::Write as _;

use holdpoint_schemas::SourceError;
use holdpoint_schemas::fix::ChangeKind;

use crate::FixError;
use crate::paths;
pub use hunk::{Hunk, HunkLine, Origin};

/// Largest patch, in bytes: well above any reviewable fix, and small enough to hold a few times.
pub const MAX_PATCH_BYTES: usize = 4 << 20;
/// Most files in a patch: more is a migration, not a fix.
pub const MAX_FILES: usize = 500;
/// Most lines in a patch, context included.
pub const MAX_LINES: usize = 50_000;

/// Mode of an ordinary file.
pub const MODE_FILE: u32 = 0o100_644;
/// Mode of an executable file.
pub const MODE_EXECUTABLE: u32 = 0o100_755;

/// A patch that was read and found harmless in form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Patch {
    /// Files it changes, in its order; no path occurs twice.
    pub files: Vec<PatchFile>,
}

/// What a patch does to one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatchFile {
    /// Path relative to the repo's root.
    pub path: String,
    /// Whether the file is new, changed or deleted.
    pub kind: ChangeKind,
    /// Mode before, where the patch says so.
    pub old_mode: Option<u32>,
    /// Mode after, where the patch says so.
    pub new_mode: Option<u32>,
    /// Changed regions; none for an empty file or a mere mode change.
    pub hunks: Vec<Hunk>,
}

/// Reads a unified or git patch. `name` is the file's name for messages.
///
/// # Errors
/// [`FixError::Source`] with the line when the patch is malformed, binary, too large, empty, or
/// touches what no fix may touch: paths outside the repo, git's own files, symlinks, submodules.
pub fn read_patch(name: &str, bytes: &[u8]) -> Result<Patch, FixError> {
    let whole = |message: String, help: &str| FixError::from(SourceError::new(name, message).help(help));
    if bytes.len() > MAX_PATCH_BYTES {
        return Err(whole(
            format!(
                "the patch has {} bytes; at most {MAX_PATCH_BYTES} are read",
                bytes.len()
            ),
            "split the change into several fixes",
        ));
    }
    if let Some(at) = bytes.iter().position(|b| *b == 0) {
        let line = bytes.iter().take(at).filter(|b| **b == b'\n').count() + 1;
        return Err(whole(
            format!("line {line} holds a NUL byte: the patch is binary"),
            "make a text patch with `git diff`",
        ));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let line = bytes.iter().take(error.valid_up_to()).filter(|b| **b == b'\n').count() + 1;
        whole(
            format!("line {line} is not UTF-8"),
            "save the changed files as UTF-8, or leave the file out of the fix",
        )
    })?;
    let mut reader = Reader::new(name, text)?;
    let patch = reader.patch()?;
    if patch.files.is_empty() {
        return Err(whole(
            "the patch changes no file".to_owned(),
            "expected the output of `git diff`",
        ));
    }
    Ok(patch)
}

impl Patch {
    /// The patch in git's own form, written from what was parsed.
    #[must_use]
    pub fn canonical(&self) -> String {
        let mut out = String::new();
        for file in &self.files {
            let old = quoted(&format!("a/{}", file.path));
            let new = quoted(&format!("b/{}", file.path));
            let _ = writeln!(out, "diff --git {old} {new}");
            match file.kind {
                ChangeKind::Added => {
                    let _ = writeln!(out, "new file mode {:o}", file.new_mode.unwrap_or(MODE_FILE));
                }
                ChangeKind::Deleted => {
                    let _ = writeln!(out, "deleted file mode {:o}", file.old_mode.unwrap_or(MODE_FILE));
                }
                ChangeKind::Modified => {
                    if let (Some(from), Some(to)) = (file.old_mode, file.new_mode)
                        && from != to
                    {
                        let _ = writeln!(out, "old mode {from:o}\nnew mode {to:o}");
                    }
                }
            }
            if file.hunks.is_empty() && file.kind == ChangeKind::Modified {
                continue;
            }
            // libgit2 takes a changed mode together with hunks only after an index line, and an
            // empty file only with the two names; the ids themselves aren't looked at.
            out.push_str("index 1111111..2222222");
            // Without its mode libgit2 makes an executable file a plain one.
            if let (ChangeKind::Modified, Some(from), Some(to)) = (file.kind, file.old_mode, file.new_mode)
                && from == to
            {
                let _ = write!(out, " {to:o}");
            }
            out.push('\n');
            let old = if file.kind == ChangeKind::Added {
                "/dev/null"
            } else {
                &old
            };
            let new = if file.kind == ChangeKind::Deleted {
                "/dev/null"
            } else {
                &new
            };
            let _ = writeln!(out, "--- {old}\n+++ {new}");
            for hunk in &file.hunks {
                hunk.write(&mut out);
            }
        }
        out
    }
}

/// Walks over the lines of a patch.
pub(crate) struct Reader<'a> {
    name: &'a str,
    text: &'a str,
    lines: Vec<&'a str>,
    at: usize,
}

/// Header lines of one file, until its hunks start.
#[derive(Default)]
struct Header {
    from_git_line: Option<String>,
    old: Option<Option<String>>,
    new: Option<Option<String>>,
    old_mode: Option<u32>,
    new_mode: Option<u32>,
    added: bool,
    deleted: bool,
}

impl<'a> Reader<'a> {
    fn new(name: &'a str, text: &'a str) -> Result<Self, FixError> {
        let lines: Vec<&str> = text.split_terminator('\n').collect();
        let reader = Self {
            name,
            text,
            lines,
            at: 0,
        };
        if reader.lines.len() > MAX_LINES {
            return Err(reader.fault(
                MAX_LINES,
                format!(
                    "the patch has {} lines; at most {MAX_LINES} are read",
                    reader.lines.len()
                ),
                "split the change into several fixes",
            ));
        }
        Ok(reader)
    }

    /// An error at a line (0-based).
    pub(crate) fn fault(&self, line: usize, message: impl Into<String>, help: &str) -> FixError {
        SourceError::new(self.name, message)
            .at(self.text, line + 1, 1)
            .help(help)
            .into()
    }

    pub(crate) fn peek(&self) -> Option<&'a str> {
        self.lines.get(self.at).copied()
    }

    pub(crate) fn next(&mut self) -> Option<&'a str> {
        let line = self.peek();
        self.at += usize::from(line.is_some());
        line
    }

    pub(crate) fn line_number(&self) -> usize {
        self.at
    }

    fn patch(&mut self) -> Result<Patch, FixError> {
        let mut files: Vec<PatchFile> = Vec::new();
        let mut seen = BTreeSet::new();
        // A mail's subject, message and diffstat may precede the first file, its signature ends it.
        let mut prose = true;
        while let Some(line) = self.peek() {
            let start = self.at;
            if line.starts_with("diff --git ") || self.is_plain_header() {
                prose = false;
                let file = self.file()?;
                if !seen.insert(file.path.clone()) {
                    let message = format!("`{}` occurs twice in the patch", file.path);
                    return Err(self.fault(start, message, "give each file one section"));
                }
                files.push(file);
                if files.len() > MAX_FILES {
                    let message = format!("the patch changes more than {MAX_FILES} files");
                    return Err(self.fault(start, message, "split the change into several fixes"));
                }
                continue;
            }
            let foreign = line.trim_end_matches('\r');
            if foreign.starts_with("@@ ") {
                return Err(self.fault(
                    start,
                    "a hunk without a file",
                    "expected `--- a/FILE` and `+++ b/FILE` before it",
                ));
            }
            if foreign == "-- " {
                prose = true;
            } else if !prose && !foreign.is_empty() {
                return Err(self.fault(
                    start,
                    format!("expected a file header or a hunk, found `{}`", shorten(foreign)),
                    "the hunk before it has more lines than its `@@` line says, or the patch is damaged",
                ));
            }
            self.at += 1;
        }
        Ok(Patch { files })
    }

    fn is_plain_header(&self) -> bool {
        let next = self.lines.get(self.at + 1);
        self.peek().is_some_and(|line| line.starts_with("--- ")) && next.is_some_and(|line| line.starts_with("+++ "))
    }

    fn file(&mut self) -> Result<PatchFile, FixError> {
        let start = self.at;
        let mut header = self.header()?;
        let old = header.old.take().unwrap_or_else(|| header.from_git_line.clone());
        let new = header.new.take().unwrap_or_else(|| header.from_git_line.clone());
        let (kind, path) = match (old, new) {
            (Some(_), Some(_)) if header.added && header.deleted => {
                return Err(self.fault(
                    start,
                    "the file is both new and deleted",
                    "make the patch anew with `git diff`",
                ));
            }
            (None, Some(path)) => (ChangeKind::Added, path),
            (Some(path), None) => (ChangeKind::Deleted, path),
            (Some(old), Some(new)) if old == new => {
                let kind = match (header.added, header.deleted) {
                    (true, _) => ChangeKind::Added,
                    (_, true) => ChangeKind::Deleted,
                    _ => ChangeKind::Modified,
                };
                (kind, new)
            }
            (Some(old), Some(new)) => {
                let message = format!("`{old}` becomes `{new}`: a rename");
                return Err(self.fault(start, message, "make the patch with `git diff --no-renames`"));
            }
            (None, None) => {
                return Err(self.fault(
                    start,
                    "the section names no file",
                    "make the patch anew with `git diff`",
                ));
            }
        };
        if header.from_git_line.as_ref().is_some_and(|name| *name != path)
            || (header.added && kind != ChangeKind::Added)
            || (header.deleted && kind != ChangeKind::Deleted)
        {
            return Err(self.fault(
                start,
                format!("the header lines of `{path}` contradict each other"),
                "make the patch anew with `git diff`",
            ));
        }
        let mut hunks = Vec::new();
        while self.peek().is_some_and(|line| line.starts_with("@@ ")) {
            hunks.push(Hunk::read(self)?);
        }
        self.check_shape(start, &path, kind, &header, &hunks)?;
        Ok(PatchFile {
            path,
            kind,
            old_mode: header.old_mode,
            new_mode: header.new_mode,
            hunks,
        })
    }

    fn check_shape(
        &self,
        start: usize,
        path: &str,
        kind: ChangeKind,
        header: &Header,
        hunks: &[Hunk],
    ) -> Result<(), FixError> {
        if let Err(fault) = paths::check(path) {
            return Err(self.fault(start, format!("`{}` {}", path.escape_debug(), fault.why), fault.help));
        }
        let mode_changes = header.old_mode != header.new_mode;
        let message = match kind {
            ChangeKind::Modified if hunks.is_empty() && !mode_changes => "changes nothing",
            ChangeKind::Added if hunks.iter().any(|hunk| hunk.old_count > 0) => "is new but has lines before",
            ChangeKind::Deleted if hunks.iter().any(|hunk| hunk.new_count > 0) => "is deleted but has lines after",
            _ => return Ok(()),
        };
        let help = "the patch is truncated or damaged; make it anew with `git diff`";
        Err(self.fault(start, format!("`{path}` {message}"), help))
    }

    fn header(&mut self) -> Result<Header, FixError> {
        let mut header = Header::default();
        if let Some(rest) = self.peek().and_then(|line| line.strip_prefix("diff --git ")) {
            header.from_git_line = name::of_git_line(rest.trim_end_matches('\r'));
            self.at += 1;
        }
        while let Some(line) = self.peek() {
            let line = line.trim_end_matches('\r');
            let at = self.at;
            if let Some(name) = line.strip_prefix("--- ") {
                header.old = Some(self.side(name, "a/")?);
            } else if let Some(name) = line.strip_prefix("+++ ") {
                header.new = Some(self.side(name, "b/")?);
                self.at += 1;
                break;
            } else if let Some(mode) = line.strip_prefix("old mode ") {
                header.old_mode = Some(self.mode(at, mode)?);
            } else if let Some(mode) = line.strip_prefix("new mode ") {
                header.new_mode = Some(self.mode(at, mode)?);
            } else if let Some(mode) = line.strip_prefix("new file mode ") {
                header.new_mode = Some(self.mode(at, mode)?);
                header.added = true;
            } else if let Some(mode) = line.strip_prefix("deleted file mode ") {
                header.old_mode = Some(self.mode(at, mode)?);
                header.deleted = true;
            } else if let Some(index) = line.strip_prefix("index ") {
                if let Some((_, mode)) = index.split_once(' ') {
                    let mode = self.mode(at, mode)?;
                    header.old_mode.get_or_insert(mode);
                    header.new_mode.get_or_insert(mode);
                }
            } else if ["rename ", "copy ", "similarity index ", "dissimilarity index "]
                .iter()
                .any(|word| line.starts_with(word))
            {
                return Err(self.fault(at, "a rename or copy", "make the patch with `git diff --no-renames`"));
            } else if line.starts_with("Binary files ") || line.starts_with("GIT binary patch") {
                return Err(self.fault(at, "a binary change", "a fix may only change text; leave the file out"));
            } else {
                break;
            }
            self.at += 1;
        }
        Ok(header)
    }

    fn side(&self, name: &str, prefix: &str) -> Result<Option<String>, FixError> {
        let found = name::of_side(name).ok_or_else(|| {
            let message = format!("a file name that can't be read: `{}`", shorten(name));
            self.fault(self.at, message, "expected `--- a/FILE` and `+++ b/FILE`")
        })?;
        Ok((found != "/dev/null").then(|| found.strip_prefix(prefix).unwrap_or(&found).to_owned()))
    }

    fn mode(&self, at: usize, mode: &str) -> Result<u32, FixError> {
        let help = "a fix may only change files of mode 100644 or 100755";
        match mode {
            "100644" => Ok(MODE_FILE),
            "100755" => Ok(MODE_EXECUTABLE),
            "120000" => Err(self.fault(at, "a symbolic link (mode 120000)", help)),
            "160000" => Err(self.fault(at, "a submodule (mode 160000)", help)),
            other => Err(self.fault(at, format!("file mode `{}`", shorten(other)), help)),
        }
    }
}

fn shorten(text: &str) -> String {
    let short: String = text.chars().take(60).collect();
    let short = short.escape_debug().to_string();
    if text.chars().count() > 60 {
        format!("{short}…")
    } else {
        short
    }
}

#[cfg(test)]
mod tests;
