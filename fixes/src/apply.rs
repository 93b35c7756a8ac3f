//! A candidate tree from a base commit and a patch, or from two commits; in memory, into the
//! object database, never into a checkout.

mod misfit;
mod stack;

pub use stack::{between, merge_trees};

use git2::{ApplyOptions, Diff, ObjectType, Oid, Repository, Tree};
use holdpoint_schemas::Digest;
use holdpoint_schemas::fix::{ChangeKind, FileChange};

use crate::FixError;
use crate::diff::{self, refused};
use crate::patch::{MODE_EXECUTABLE, MODE_FILE, Patch};

/// A candidate: two trees and what lies between them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// Tree of the base commit, 40 hexadecimal digits.
    pub base_tree: String,
    /// Tree after the change, 40 hexadecimal digits.
    pub candidate_tree: String,
    /// Unified diff between the two, as we write it (three lines of context, files by path).
    pub diff_text: String,
    /// Digest of that text.
    pub diff: Digest,
    /// Files it changes, by path. A change of a file's mode is told as an added line 0
    /// (`mode 100755`), since the vocabulary has no field for it.
    pub files: Vec<FileChange>,
}

/// Applies a patch to a commit's tree; context must match exactly, at the very
/// lines that the patch names: libgit2 looks nowhere else.
///
/// # Errors
/// When the commit isn't there, the patch doesn't apply, applies only with fuzz
/// ([`FixError::NeedsFuzz`]) or changes nothing, goes through a symbolic link, or the result
/// touches what no fix may touch.
pub fn apply_patch(repo: &Repository, base_commit: &str, patch: &Patch) -> Result<Applied, FixError> {
    let base = tree_of_commit(repo, base_commit)?;
    let mut patch = patch.clone();
    for file in &mut patch.files {
        let mode = check_in_base(repo, &base, base_commit, &file.path, file.kind)?;
        // A patch that changes no mode leaves the base's, whatever it says that this was.
        if file.kind == ChangeKind::Modified && file.old_mode == file.new_mode {
            (file.old_mode, file.new_mode) = (mode, mode);
        }
    }
    let failed = |error: git2::Error| FixError::DoesNotApply {
        base: base_commit.to_owned(),
        why: error.message().to_owned(),
        help: "make the fix anew on this base".to_owned(),
    };
    let canonical = patch.canonical();
    let parsed = Diff::from_buffer(canonical.as_bytes()).map_err(failed)?;
    let mut index = repo
        .apply_to_tree(&base, &parsed, Some(&mut ApplyOptions::new()))
        .map_err(|error| {
            let text = |path: &str| {
                let bytes = crate::tree::read_blob(repo, &base.id().to_string(), path)?;
                String::from_utf8(bytes).ok()
            };
            misfit::find(base_commit, &patch, text).unwrap_or_else(|| failed(error))
        })?;
    let candidate = repo.find_tree(index.write_tree_to(repo)?)?;
    let applied = compare(repo, &base, &candidate)?;
    // What libgit2 did must be what the patch said.
    if let Some(file) = applied
        .files
        .iter()
        .find(|file| !patch.files.iter().any(|said| said.path == file.path))
    {
        return Err(refused(
            &file.path,
            "changes though the patch doesn't name it",
            "make the fix anew on this base",
        ));
    }
    Ok(applied)
}

/// Takes a commit that holds the fix: its whole difference from the base commit.
///
/// # Errors
/// When a commit isn't there, nothing differs, or the difference touches what no fix may touch.
pub fn from_commit(repo: &Repository, base_commit: &str, fix_commit: &str) -> Result<Applied, FixError> {
    let base = tree_of_commit(repo, base_commit)?;
    let candidate = tree_of_commit(repo, fix_commit)?;
    compare(repo, &base, &candidate)
}

fn compare(repo: &Repository, base: &Tree<'_>, candidate: &Tree<'_>) -> Result<Applied, FixError> {
    let diff = diff::between(repo, base, candidate)?;
    if diff.files.is_empty() {
        return Err(FixError::DoesNotApply {
            base: base.id().to_string(),
            why: "the fix changes nothing".to_owned(),
            help: "the base may hold the change already".to_owned(),
        });
    }
    Ok(Applied {
        base_tree: base.id().to_string(),
        candidate_tree: candidate.id().to_string(),
        diff: Digest::of_bytes(diff.text.as_bytes()),
        diff_text: diff.text,
        files: diff.files,
    })
}

/// Parses a full object id: an abbreviated one would be padded with zeros by libgit2.
pub(crate) fn full_id(what: &'static str, id: &str) -> Result<Oid, FixError> {
    let missing = || FixError::Missing {
        what,
        id: id.to_owned(),
    };
    if id.len() != 40 {
        return Err(missing());
    }
    Oid::from_str(id).map_err(|_| missing())
}

fn tree_of_commit<'r>(repo: &'r Repository, commit: &str) -> Result<Tree<'r>, FixError> {
    let missing = |_| FixError::Missing {
        what: "commit",
        id: commit.to_owned(),
    };
    let id = full_id("commit", commit)?;
    Ok(repo.find_commit(id).map_err(missing)?.tree()?)
}

/// Checks each component of a path in the base: folders up to a plain file, or to nothing. The file's mode, if there is
/// one.
fn check_in_base(
    repo: &Repository,
    base: &Tree<'_>,
    base_commit: &str,
    path: &str,
    kind: ChangeKind,
) -> Result<Option<u32>, FixError> {
    let no_match = |why: String| FixError::DoesNotApply {
        base: base_commit.to_owned(),
        why,
        help: "make the fix anew on this base".to_owned(),
    };
    let mut tree = base.clone();
    let mut rest = path;
    loop {
        let (name, below) = match rest.split_once('/') {
            Some((name, below)) => (name, Some(below)),
            None => (rest, None),
        };
        let entry = tree
            .get_name(name)
            .map(|entry| (entry.filemode(), entry.kind(), entry.id()));
        let Some((mode, object, id)) = entry else {
            return match kind {
                ChangeKind::Added => Ok(None),
                _ => Err(no_match(format!("no file `{path}`"))),
            };
        };
        match (object, mode, below) {
            (_, 0o120_000, _) => {
                let help = "change the file that the link points to, by its own path";
                return Err(refused(path, "goes through a symbolic link of the base", help));
            }
            (Some(ObjectType::Commit), _, _) => {
                return Err(refused(path, "lies in a submodule", "fix the submodule's own repo"));
            }
            (Some(ObjectType::Tree), _, Some(below)) => {
                tree = repo.find_tree(id)?;
                rest = below;
            }
            (Some(ObjectType::Tree), _, None) => return Err(no_match(format!("`{path}` is a folder"))),
            (_, _, Some(_)) => return Err(no_match(format!("`{name}` in `{path}` is a file"))),
            (_, _, None) if kind == ChangeKind::Added => {
                return Err(no_match(format!("`{path}` is there already")));
            }
            (_, 0o100_755, None) => return Ok(Some(MODE_EXECUTABLE)),
            (_, _, None) => return Ok(Some(MODE_FILE)),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
