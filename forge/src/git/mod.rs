//! Fetching and pushing with the `git` command line.
//!
//! libgit2 is not used for this: its push to a local repository force-writes. Here every ref moves
//! by compare-and-swap (`--force-with-lease`, checked again by the receiver under its lock). No
//! hook of this machine or of the cache runs; what a remote does when it receives is the remote's.

mod cache;
mod command;
mod remote;
mod work_tree;

use std::path::Path;

use crate::error::{ForgeError, printable};
use crate::names::{branch_ref, id};
use command::{run, run_any};

pub use cache::fetch_mirror;
pub use remote::Remote;
pub use work_tree::{Committed, FileState, Identity, Signing, WorkTree, identity};

/// The commit that a branch of the remote points at now; `None` when there is no such branch.
///
/// # Errors
/// When a name is refused, or the remote is gone or out of reach.
pub fn remote_head(remote: &str, branch: &str) -> Result<Option<String>, ForgeError> {
    let (remote, name) = (Remote::parse(remote)?, branch_ref(branch)?);
    let doing = "asking the remote for a branch";
    let output = run(None, doing, ["ls-remote", "--refs", "--", remote.as_str(), &name])?;
    for line in output.stdout.lines() {
        // ls-remote matches the tail of names: only the exact ref counts.
        if let Some((commit, found)) = line.split_once('\t')
            && found == name
        {
            return Ok(Some(id(commit)?.to_string()));
        }
    }
    Ok(None)
}

/// What a push did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pushed {
    /// The branch moved from what was expected to what was given.
    Moved,
    /// It did not stand where it was expected: nothing changed.
    Stale,
}

/// Sets a branch of the remote to a commit of the cache, if it stands at `expected_old` (`None`:
/// if it doesn't exist yet).
///
/// # Errors
/// When a name is refused, the remote is gone or out of reach, or it refuses for a reason of its own.
pub fn push(
    cache: &Path,
    remote: &str,
    branch: &str,
    commit: &str,
    expected_old: Option<&str>,
) -> Result<Pushed, ForgeError> {
    let commit = id(commit)?.to_string();
    let expected = expected_old.map(id).transpose()?.map(|old| old.to_string());
    send(cache, remote, branch, &commit, &expected.unwrap_or_default())
}

/// Deletes a branch of the remote, if it stands at `expected_old`.
///
/// # Errors
/// As [`push`].
pub fn delete(cache: &Path, remote: &str, branch: &str, expected_old: &str) -> Result<Pushed, ForgeError> {
    let expected = id(expected_old)?.to_string();
    send(cache, remote, branch, "", &expected)
}

/// One compare-and-swap; an empty id stands for "no such branch", as it does for git.
fn send(cache: &Path, remote: &str, branch: &str, commit: &str, expected: &str) -> Result<Pushed, ForgeError> {
    let (remote, name) = (Remote::parse(remote)?, branch_ref(branch)?);
    let update = format!("{commit}:{name}");
    let lease = format!("--force-with-lease={name}:{expected}");
    let doing = "pushing";
    let output = run_any(
        Some(cache),
        doing,
        [
            "push",
            "--porcelain",
            "--no-verify",
            "--no-follow-tags",
            "--recurse-submodules=no",
            &lease,
            "--",
            remote.as_str(),
            &update,
        ],
    )?;
    if output.status.success() {
        return Ok(Pushed::Moved);
    }
    // Whether the race was lost shows in where the branch stands, not in git's wording, which
    // differs between our lease and the receiver's lock.
    if remote_head(remote.as_str(), branch)?.as_deref().unwrap_or_default() != expected {
        return Ok(Pushed::Stale);
    }
    // `!`: rejected by the receiver, with its reason.
    match output.stdout.lines().find(|line| line.starts_with('!')) {
        Some(line) => Err(ForgeError::Git {
            doing,
            output: printable(&line.trim_start_matches(['!', '\t']).replace('\t', " ")),
        }),
        None => Err(output.failed(doing)),
    }
}

/// The commit that a branch of the cache points at.
///
/// # Errors
/// When the name is refused, or there is no such branch in the cache.
pub fn resolve(cache: &Path, branch: &str) -> Result<String, ForgeError> {
    let name = branch_ref(branch)?;
    let repo = git2::Repository::open_bare(cache).map_err(ForgeError::objects("opening the cache"))?;
    let commit = repo
        .find_reference(&name)
        .and_then(|reference| reference.peel_to_commit())
        .map_err(|_| ForgeError::NoBranch {
            branch: branch.to_owned(),
        })?;
    Ok(commit.id().to_string())
}

/// Whether a branch of the cache holds a commit: at its tip or in its history.
///
/// # Errors
/// When a name is refused, or there is no such branch in the cache.
pub fn contains(cache: &Path, branch: &str, commit: &str) -> Result<bool, ForgeError> {
    let (tip, commit) = (id(&resolve(cache, branch)?)?, id(commit)?);
    let repo = git2::Repository::open_bare(cache).map_err(ForgeError::objects("opening the cache"))?;
    if tip == commit {
        return Ok(true);
    }
    // A commit that isn't in the cache can't be in the history of a branch that is.
    if repo.find_commit(commit).is_err() {
        return Ok(false);
    }
    repo.graph_descendant_of(tip, commit)
        .map_err(ForgeError::objects("walking the history"))
}

#[cfg(test)]
mod tests;
