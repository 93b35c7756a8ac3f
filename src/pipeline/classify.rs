//! What a patch does to a commit of any local repo, from the diff alone.

use anyhow::{Context, Result};
use holdpoint_fixes::FixError;
use holdpoint_fixes::apply::{Applied, apply_patch};
use holdpoint_fixes::patch::{MAX_PATCH_BYTES, read_patch};
use holdpoint_fixes::tree::read_blob;
use holdpoint_schemas::fix::Classification;
use std::io::Read as _;
use std::path::Path;

use super::estate::read_bytes;
use crate::failure::BadInput;

/// The name that stands for standard input.
const STDIN: &str = "-";

/// Classifies a patch (a file, or `-` for standard input) against a commit of a local repo. Nothing is
/// written to that repo.
///
/// # Errors
/// When the repo, the commit or the patch can't be read, or the patch doesn't apply.
pub fn classify(repo: &Path, revision: &str, patch: &str) -> Result<Classification> {
    let bytes = read(patch)?;
    let parsed = read_patch(patch, &bytes)?;
    let git = open(repo)?;
    let base = commit(&git, revision)?;
    let applied = apply_patch(&git, &base, &parsed).map_err(told)?;
    Ok(of(&git, &applied))
}

/// Classifies what lies between two trees of a repo.
pub fn of(git: &git2::Repository, applied: &Applied) -> Classification {
    let text = |tree: &str, path: &str| String::from_utf8(read_blob(git, tree, path)?).ok();
    holdpoint_fixes::classify::classify(&applied.files, &|path| text(&applied.base_tree, path), &|path| {
        text(&applied.candidate_tree, path)
    })
}

fn read(patch: &str) -> Result<Vec<u8>> {
    if patch != STDIN {
        return read_bytes(Path::new(""), patch);
    }
    let limit = u64::try_from(MAX_PATCH_BYTES).unwrap_or(u64::MAX).saturating_add(1);
    let mut bytes = Vec::new();
    std::io::stdin()
        .lock()
        .take(limit)
        .read_to_end(&mut bytes)
        .context("reading the patch from standard input")?;
    Ok(bytes)
}

/// Opens the repo that holds a folder. What applying the patch makes stays in memory.
fn open(folder: &Path) -> Result<git2::Repository> {
    let git = git2::Repository::discover(folder).map_err(|error| {
        BadInput::new(
            format!("there is no git repo at `{}`: {}", folder.display(), error.message()),
            "name the folder of the repo that the patch is made for with `--repo`",
        )
    })?;
    /// Above the repo's own stores, which are asked in order of priority.
    const FIRST: i32 = 1_000;
    git.odb()
        .and_then(|odb| odb.add_new_mempack_backend(FIRST).map(|_| ()))
        .context("keeping the candidate in memory")?;
    Ok(git)
}

fn commit(git: &git2::Repository, revision: &str) -> Result<String> {
    let found = git.revparse_single(revision).and_then(|object| object.peel_to_commit());
    let commit = found.map_err(|_| {
        BadInput::new(
            format!("the repo has no commit `{revision}`"),
            "name the commit, branch or tag that the patch is made for with `--base`",
        )
    })?;
    Ok(commit.id().to_string())
}

/// An error with its help, where it isn't about a place in the patch.
fn told(error: FixError) -> anyhow::Error {
    match (&error, error.help_line().map(str::to_owned)) {
        (FixError::Source(_), _) | (_, None) => error.into(),
        (_, Some(help)) => BadInput::new(error.to_string(), help).into(),
    }
}
