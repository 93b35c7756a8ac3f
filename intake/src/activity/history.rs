//! Walking a history, within bounds, and naming its people.

use git2::{Commit, DiffOptions, Mailmap, Oid, Repository, Sort};
use holdpoint_schemas::Timestamp;
use jiff::SignedDuration;
use std::collections::{BinaryHeap, HashSet};

use crate::error::IntakeError;

/// So many commits in a row before `since` end the walk. Dates are set by committers' clocks, so
/// one old commit doesn't mean that all before it are older.
const OLD_RUN: usize = 500;
/// How far the clocks of two committers may lie apart.
const CLOCK_SKEW: SignedDuration = SignedDuration::from_hours(24);
/// Longest summary, in characters.
const MAX_SUMMARY: usize = 200;
/// Largest `.mailmap` in bytes: some ten thousand people.
const MAX_MAILMAP: usize = 1 << 20;

/// An error about a commit's history.
pub(super) fn failed(commit: &str) -> impl Fn(git2::Error) -> IntakeError + '_ {
    |error| IntakeError::Git {
        commit: commit.to_owned(),
        message: error.message().to_owned(),
    }
}

/// The commits of a time span, with their times, latest first; `None` when the walk would be longer than `limit`.
///
/// A commit's date is whatever its committer writes. One that is more than a day older than something before it
/// is [backdated](is_backdated): it counts with the time of the commit after it, `backdated_at` at the latest, so
/// that it hides neither itself nor what stands before it. An older date that agrees with the history can't be told from
/// the truth.
pub(super) fn commits_within<'a>(
    repo: &'a Repository,
    branch_commit: &str,
    since: Timestamp,
    until: Timestamp,
    backdated_at: Timestamp,
    limit: usize,
) -> Result<Option<Vec<(Timestamp, Commit<'a>)>>, git2::Error> {
    // `after` is when the commit after it was made: at the latest, this one was too.
    let made = |commit: &Commit<'_>, after: Timestamp| -> Result<Timestamp, git2::Error> {
        match time(commit) {
            Some(at) if at >= since || after < since => Ok(at),
            Some(at) if !is_backdated(repo, commit, at)? => Ok(at),
            _ => Ok(after.min(backdated_at)),
        }
    };
    let head = repo.find_commit(Oid::from_str(branch_commit)?)?;
    let mut known = HashSet::from([head.id()]);
    let mut waiting = BinaryHeap::from([(made(&head, Timestamp::MAX)?, head.id())]);
    let (mut found, mut old_run, mut seen) = (Vec::new(), 0usize, 0usize);
    while let Some((at, id)) = waiting.pop() {
        if seen >= limit {
            return Ok(None);
        }
        seen += 1;
        let commit = repo.find_commit(id)?;
        for parent in commit.parents() {
            if known.insert(parent.id()) {
                waiting.push((made(&parent, at)?, parent.id()));
            }
        }
        if at < since {
            old_run += 1;
            if old_run >= OLD_RUN {
                break;
            }
            continue;
        }
        old_run = 0;
        if at < until {
            found.push((at, commit));
        }
    }
    Ok(Some(found))
}

/// Whether one of the latest commits before it is more than a day younger, which clocks don't explain.
fn is_backdated(repo: &Repository, commit: &Commit<'_>, at: Timestamp) -> Result<bool, git2::Error> {
    let mut walk = repo.revwalk()?;
    walk.set_sorting(Sort::TIME)?;
    walk.push(commit.id())?;
    let plausible = at.checked_add(CLOCK_SKEW).unwrap_or(Timestamp::MAX);
    for id in walk.take(OLD_RUN) {
        if time(&repo.find_commit(id?)?).is_some_and(|before| before > plausible) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// When a commit came to be in this form; `None` for a time that no clock shows. Callers take that as
/// recent: it may not hide anything.
pub(super) fn time(commit: &Commit<'_>) -> Option<Timestamp> {
    Timestamp::from_second(commit.time().seconds()).ok()
}

/// Paths that a commit changed, compared with its first parent; a renamed file counts with both.
pub(super) fn changed(repo: &Repository, commit: &Commit<'_>) -> Result<Vec<Vec<u8>>, git2::Error> {
    let parent = match commit.parent_count() {
        0 => None,
        _ => Some(commit.parent(0)?.tree()?),
    };
    changed_between(repo, parent.as_ref(), &commit.tree()?)
}

/// Paths that differ between two trees.
pub(super) fn changed_between(
    repo: &Repository,
    from: Option<&git2::Tree<'_>>,
    to: &git2::Tree<'_>,
) -> Result<Vec<Vec<u8>>, git2::Error> {
    let mut options = DiffOptions::new();
    options.skip_binary_check(true).ignore_submodules(true);
    let diff = repo.diff_tree_to_tree(from, Some(to), Some(&mut options))?;
    let mut paths: Vec<Vec<u8>> = Vec::new();
    for delta in diff.deltas() {
        let files = [delta.old_file(), delta.new_file()];
        paths.extend(files.iter().filter_map(|file| file.path_bytes()).map(<[u8]>::to_vec));
    }
    paths.sort_unstable();
    paths.dedup();
    Ok(paths)
}

/// Whether `path` is `folder` or lies below it.
pub(super) fn is_within(path: &[u8], folder: &[u8]) -> bool {
    path.strip_prefix(folder)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
}

/// Who people are, by the `.mailmap` of a commit (gitmailmap(5)). It is for display: anyone who may
/// commit may write it, so it proves nothing.
pub(super) struct People(Option<Mailmap>);

impl People {
    pub fn at(repo: &Repository, branch_commit: &str) -> Self {
        let read = || {
            let tree = repo.find_commit(Oid::from_str(branch_commit).ok()?).ok()?.tree().ok()?;
            let entry = tree.get_name(".mailmap")?;
            let blob = entry.to_object(repo).ok()?.into_blob().ok()?;
            let text = blob.content().get(..blob.size().min(MAX_MAILMAP))?;
            Mailmap::from_buffer(&String::from_utf8_lossy(text).replace('\0', "")).ok()
        };
        Self(read())
    }

    /// Name and email address of a commit's author.
    pub fn author(&self, commit: &Commit<'_>) -> (String, String) {
        let mapped = self.0.as_ref().and_then(|map| commit.author_with_mailmap(map).ok());
        let author = mapped.unwrap_or_else(|| commit.author().to_owned());
        (lossy(author.name_bytes()), lossy(author.email_bytes()))
    }
}

/// Text that someone else wrote, fit for a report: no control characters, bounded.
pub(super) fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes)
        .chars()
        .filter(|c| !c.is_control())
        .take(MAX_SUMMARY)
        .collect()
}
