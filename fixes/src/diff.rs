//! The difference of two trees: refused where a fix may not go, else written by us, so that its
//! digest depends on nothing but the two trees (no config, no attributes, no diff driver).

use std::fmt::Write as _;

use git2::{Delta, DiffDelta, DiffLineType, DiffOptions, Oid, Repository, Tree};
use holdpoint_schemas::fix::{ChangeKind, FileChange};

use crate::FixError;
use crate::patch::{MAX_FILES, MAX_LINES, MODE_EXECUTABLE, MODE_FILE};
use crate::{patch, paths};

/// Largest file that a fix may change, in bytes: lockfiles reach a few MiB.
const MAX_BLOB_BYTES: usize = 16 << 20;
/// Largest diff that is written, in bytes.
const MAX_DIFF_BYTES: usize = 16 << 20;

/// The difference of two trees.
pub(crate) struct TreeDiff {
    /// Unified diff, three lines of context, files by path.
    pub text: String,
    /// The same, file by file.
    pub files: Vec<FileChange>,
}

/// Compares two trees.
pub(crate) fn between(repo: &Repository, base: &Tree<'_>, candidate: &Tree<'_>) -> Result<TreeDiff, FixError> {
    let mut options = DiffOptions::new();
    options.include_typechange(true).skip_binary_check(true);
    let diff = repo.diff_tree_to_tree(Some(base), Some(candidate), Some(&mut options))?;
    if diff.deltas().len() > MAX_FILES {
        return Err(FixError::TooLarge {
            what: "the change".to_owned(),
            limit: format!("{MAX_FILES} files"),
        });
    }
    let mut found = TreeDiff {
        text: String::new(),
        files: Vec::new(),
    };
    let mut changes = diff
        .deltas()
        .map(|delta| Change::of(&delta))
        .collect::<Result<Vec<_>, _>>()?;
    changes.sort_by(|a, b| a.path.cmp(&b.path));
    let mut lines = 0;
    for change in changes {
        let file = change.write(repo, &mut found.text)?;
        lines += file.removed.len() + file.added.len();
        if lines > MAX_LINES || found.text.len() > MAX_DIFF_BYTES {
            return Err(FixError::TooLarge {
                what: "the change".to_owned(),
                limit: format!("{MAX_LINES} lines or {MAX_DIFF_BYTES} bytes"),
            });
        }
        found.files.push(file);
    }
    Ok(found)
}

/// One changed path, found harmless in form.
struct Change {
    path: String,
    kind: ChangeKind,
    old: Option<(Oid, u32)>,
    new: Option<(Oid, u32)>,
}

impl Change {
    fn of(delta: &DiffDelta<'_>) -> Result<Self, FixError> {
        let raw = delta
            .new_file()
            .path_bytes()
            .or(delta.old_file().path_bytes())
            .unwrap_or_default();
        let path = std::str::from_utf8(raw)
            .map_err(|_| refused(&String::from_utf8_lossy(raw), "is not a UTF-8 name", "rename the file"))?
            .to_owned();
        paths::check(&path).map_err(|fault| refused(&path, fault.why, fault.help))?;
        let old = (delta.old_file().id(), u32::from(delta.old_file().mode()));
        let new = (delta.new_file().id(), u32::from(delta.new_file().mode()));
        let (kind, old, new) = match delta.status() {
            Delta::Added => (ChangeKind::Added, None, Some(new)),
            Delta::Deleted => (ChangeKind::Deleted, Some(old), None),
            Delta::Modified | Delta::Typechange => (ChangeKind::Modified, Some(old), Some(new)),
            other => {
                return Err(refused(
                    &path,
                    &format!("has the state {other:?}"),
                    "make it a plain change",
                ));
            }
        };
        for (_, mode) in old.iter().chain(&new) {
            check_mode(&path, *mode)?;
        }
        Ok(Self { path, kind, old, new })
    }

    fn write(&self, repo: &Repository, out: &mut String) -> Result<FileChange, FixError> {
        let before = self.old.map(|(id, _)| text_of(repo, &self.path, id)).transpose()?;
        let after = self.new.map(|(id, _)| text_of(repo, &self.path, id)).transpose()?;
        let mut file = FileChange {
            path: self.path.clone(),
            kind: self.kind,
            removed: Vec::new(),
            added: Vec::new(),
        };
        self.write_header(out, &mut file);
        self.write_hunks(
            before.as_deref().unwrap_or(""),
            after.as_deref().unwrap_or(""),
            out,
            &mut file,
        )?;
        Ok(file)
    }

    fn write_header(&self, out: &mut String, file: &mut FileChange) {
        let old_name = patch_name("a", &self.path);
        let new_name = patch_name("b", &self.path);
        let _ = writeln!(out, "diff --git {old_name} {new_name}");
        let modes = (self.old.map(|(_, mode)| mode), self.new.map(|(_, mode)| mode));
        match modes {
            (None, Some(mode)) => {
                let _ = writeln!(out, "new file mode {mode:o}");
            }
            (Some(mode), None) => {
                let _ = writeln!(out, "deleted file mode {mode:o}");
            }
            (Some(old), Some(new)) if old != new => {
                let _ = writeln!(out, "old mode {old:o}\nnew mode {new:o}");
            }
            _ => {}
        }
        // The vocabulary has no field for the mode, so a change of it is told as line 0.
        match modes {
            (old, Some(MODE_EXECUTABLE)) if old != Some(MODE_EXECUTABLE) => {
                file.added.push((0, format!("mode {MODE_EXECUTABLE:o}")));
            }
            (Some(MODE_EXECUTABLE), Some(MODE_FILE)) => file.added.push((0, format!("mode {MODE_FILE:o}"))),
            _ => {}
        }
        if self.old.map(|(id, _)| id) != self.new.map(|(id, _)| id) {
            let old = if self.old.is_some() { &old_name } else { "/dev/null" };
            let new = if self.new.is_some() { &new_name } else { "/dev/null" };
            let _ = writeln!(out, "--- {old}\n+++ {new}");
        }
    }

    fn write_hunks(&self, before: &str, after: &str, out: &mut String, file: &mut FileChange) -> Result<(), FixError> {
        let mut options = DiffOptions::new();
        options.context_lines(3).interhunk_lines(0).force_text(true);
        // Without paths libgit2 looks up neither attributes nor diff drivers.
        let patch = git2::Patch::from_buffers(before.as_bytes(), None, after.as_bytes(), None, Some(&mut options))?;
        for index in 0..patch.num_hunks() {
            let (hunk, lines) = patch.hunk(index)?;
            let _ = writeln!(
                out,
                "@@ -{},{} +{},{} @@",
                hunk.old_start(),
                hunk.old_lines(),
                hunk.new_start(),
                hunk.new_lines()
            );
            for at in 0..lines {
                let line = patch.line_in_hunk(index, at)?;
                let text = std::str::from_utf8(line.content()).unwrap_or_default();
                let plain = text.strip_suffix('\n').unwrap_or(text);
                let sign = match line.origin_value() {
                    DiffLineType::Context => ' ',
                    DiffLineType::Addition => {
                        file.added.push((line.new_lineno().unwrap_or(0), plain.to_owned()));
                        '+'
                    }
                    DiffLineType::Deletion => {
                        file.removed.push((line.old_lineno().unwrap_or(0), plain.to_owned()));
                        '-'
                    }
                    // "No newline at end of file": its text starts with the missing line feed.
                    _ => {
                        out.push_str("\\ No newline at end of file\n");
                        continue;
                    }
                };
                out.push(sign);
                out.push_str(plain);
                out.push('\n');
            }
        }
        Ok(())
    }
}

fn patch_name(side: &str, path: &str) -> String {
    patch::quoted(&format!("{side}/{path}"))
}

/// A refusal of one path.
pub(crate) fn refused(path: &str, why: &str, help: &str) -> FixError {
    FixError::Refused {
        path: path.escape_debug().to_string(),
        why: why.to_owned(),
        help: help.to_owned(),
    }
}

fn check_mode(path: &str, mode: u32) -> Result<(), FixError> {
    let help = "a fix may only change files of mode 100644 or 100755";
    match mode {
        MODE_FILE | MODE_EXECUTABLE => Ok(()),
        0o120_000 => Err(refused(path, "is a symbolic link", help)),
        0o160_000 => Err(refused(path, "is a submodule", help)),
        other => Err(refused(path, &format!("has the mode {other:o}"), help)),
    }
}

fn text_of(repo: &Repository, path: &str, id: Oid) -> Result<String, FixError> {
    // The header first: a blob can be larger than memory.
    let (size, _) = repo.odb()?.read_header(id)?;
    if size > MAX_BLOB_BYTES {
        return Err(FixError::TooLarge {
            what: format!("`{path}`"),
            limit: format!("{MAX_BLOB_BYTES} bytes"),
        });
    }
    let help = "a fix may only change text; leave the file out";
    let blob = repo.find_blob(id)?;
    if blob.content().contains(&0) {
        return Err(refused(path, "is binary", help));
    }
    String::from_utf8(blob.content().to_vec()).map_err(|_| refused(path, "is not UTF-8", help))
}
