//! What became of our merges, by the history of their branches: undone, or changed again soon after.
//!
//! A merge counts as undone where a commit on top of it takes lines of it back (what it removed is there again, what
//! it added is gone), whatever the commit's message says, or where the branch was rewritten without it. A commit that
//! only names ours as reverted must take back at least one of its lines. A revert that was itself reverted stays an
//! outcome: somebody took the fix out. A person who changes the same lines to something else hasn't undone it: that is
//! told, and not counted.

mod lines;
#[cfg(test)]
mod tests;

use anyhow::{Context, Result};
use git2::{Commit, Oid, Repository, Sort};
use holdpoint_schemas::{Digest, Timestamp};
use jiff::SignedDuration;
use std::collections::BTreeSet;

use lines::{FileChange, Overlap, between, overlap, size};

/// How long a merge is watched: a quarter. What comes later is recorded by hand.
pub const WATCH: SignedDuration = SignedDuration::from_hours(90 * 24);
/// How soon after a merge a change of the same lines is told as a likely hot-fix: a long weekend.
const SOON: SignedDuration = SignedDuration::from_hours(72);
/// Most merges of one branch that are watched at once, newest first.
const MAX_MERGES: usize = 200;
/// Most commits of one branch that are looked at, newest first.
const MAX_COMMITS: usize = 5_000;
/// Shortest abbreviation of a commit that a message may name it by: git's own default.
const MIN_ABBREVIATION: usize = 7;
/// Longest message that is searched.
const MAX_MESSAGE_BYTES: usize = 64 << 10;

/// A merge of ours that is watched.
#[derive(Debug, Clone)]
pub struct Watched {
    /// Fix that was merged.
    pub fix: Digest,
    /// Commit that the branch was at before.
    pub base: String,
    /// Commit that it was at then.
    pub commit: String,
    /// When, as the injected clock said.
    pub at: Timestamp,
}

/// A commit, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Commit.
    pub commit: String,
    /// Who wrote it, as it says.
    pub author: String,
    /// First line of its message.
    pub summary: String,
    /// When it was committed, as it says.
    pub at: Timestamp,
}

/// How it shows that a merge was undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// A commit's message names it as reverted.
    Message,
    /// A commit takes its lines back.
    Content,
    /// The branch no longer holds the commit, nor what it changed.
    Rewritten,
    /// What it changed is as before; no single commit did that.
    Bit,
}

/// A merge that was undone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undone {
    /// Fix.
    pub fix: Digest,
    /// Its commit.
    pub merge: String,
    /// How it shows.
    pub how: How,
    /// The commit that undid it, where one did.
    pub by: Option<Seen>,
    /// Changes that were taken back.
    pub undone: usize,
    /// Changes that the merge made.
    pub of: usize,
    /// Whether all of it is there again.
    pub stands: bool,
}

/// A merge whose lines were changed again soon after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// Fix.
    pub fix: Digest,
    /// Its commit.
    pub merge: String,
    /// The commit that did it.
    pub by: Seen,
    /// Changes of the merge that it touches.
    pub touched: usize,
}

/// What a branch's history shows.
#[derive(Debug, Default)]
pub struct Signs {
    /// Merges that were undone, each once.
    pub undone: Vec<Undone>,
    /// Merges whose lines were changed again soon after.
    pub changed: Vec<Changed>,
    /// What couldn't be looked at, for people.
    pub gaps: Vec<String>,
}

/// Looks at a branch of which `head` is the last commit.
///
/// # Errors
/// When the repo can't be read.
pub fn look(git: &Repository, head: &str, merges: &[Watched], is_ours: &dyn Fn(&str) -> bool) -> Result<Signs> {
    let mut signs = Signs::default();
    let head = Oid::from_str(head)?;
    let mut newest: Vec<&Watched> = merges.iter().collect();
    newest.sort_by_key(|merge| (std::cmp::Reverse(merge.at), merge.commit.clone()));
    if newest.len() > MAX_MERGES {
        let left = newest.len() - MAX_MERGES;
        signs.gaps.push(format!("{left} older merges weren't looked at"));
        newest.truncate(MAX_MERGES);
    }
    let mut watches = Vec::new();
    for merge in newest {
        match Watch::new(git, head, merge) {
            Ok(watch) => watches.push(watch),
            Err(error) => signs.gaps.push(format!(
                "the merge {} can't be looked at: {error:#}",
                short(&merge.commit)
            )),
        }
    }
    let paths: BTreeSet<String> = watches.iter().flat_map(Watch::paths).collect();
    let (commits, left_out) = since(git, head, &watches)?;
    if left_out {
        signs
            .gaps
            .push(format!("only the last {MAX_COMMITS} commits were looked at"));
    }
    for id in commits {
        let commit = git.find_commit(id)?;
        let Ok(parent) = commit.parent(0) else { continue };
        let changes = between(git, &parent.tree()?, &commit.tree()?, Some(&paths))?;
        if changes.is_empty() {
            continue;
        }
        for watch in &mut watches {
            watch.see(git, &commit, &changes, is_ours, &mut signs)?;
        }
    }
    let tree = git.find_commit(head)?.tree()?;
    for watch in watches {
        signs.undone.extend(watch.finish(git, &tree)?);
    }
    Ok(signs)
}

/// The commits of the branch since the oldest of the merges, oldest first, and whether some were left out.
fn since(git: &Repository, head: Oid, watches: &[Watch<'_>]) -> Result<(Vec<Oid>, bool)> {
    let mut oldest: Option<Oid> = None;
    for watch in watches {
        let base = Oid::from_str(&watch.merge.base)?;
        oldest = match git.merge_base(oldest.unwrap_or(head), base) {
            Ok(common) => Some(common),
            // Nothing in common: the branch was begun anew, and all of it is new.
            Err(_) => return walk(git, head, None),
        };
    }
    match oldest {
        Some(_) => walk(git, head, oldest),
        None => Ok((Vec::new(), false)),
    }
}

fn walk(git: &Repository, head: Oid, hidden: Option<Oid>) -> Result<(Vec<Oid>, bool)> {
    let mut walk = git.revwalk()?;
    walk.set_sorting(Sort::TOPOLOGICAL)?;
    walk.push(head)?;
    if let Some(hidden) = hidden {
        walk.hide(hidden)?;
    }
    let mut commits = walk.take(MAX_COMMITS + 1).collect::<Result<Vec<_>, _>>()?;
    let left_out = commits.len() > MAX_COMMITS;
    commits.truncate(MAX_COMMITS);
    commits.reverse();
    Ok((commits, left_out))
}

/// A merge while its branch is looked at.
struct Watch<'a> {
    merge: &'a Watched,
    id: Oid,
    /// What it changed.
    ours: Vec<FileChange>,
    /// Whether the branch still holds it.
    reachable: bool,
    undone: Option<Undone>,
    /// The last commit on top of it that changes its lines.
    last: Option<Seen>,
}

impl<'a> Watch<'a> {
    fn new(git: &Repository, head: Oid, merge: &'a Watched) -> Result<Self> {
        let id = Oid::from_str(&merge.commit)?;
        let commit = git.find_commit(id).context("the repo no longer has it")?;
        let base = git
            .find_commit(Oid::from_str(&merge.base)?)
            .context("the repo no longer has its base")?;
        Ok(Self {
            merge,
            id,
            ours: between(git, &base.tree()?, &commit.tree()?, None)?,
            reachable: head == id || git.graph_descendant_of(head, id)?,
            undone: None,
            last: None,
        })
    }

    fn paths(&self) -> impl Iterator<Item = String> {
        self.ours.iter().map(|file| file.path.clone())
    }

    /// Looks at one commit of the branch that changes a file of some merge.
    fn see(
        &mut self,
        git: &Repository,
        commit: &Commit<'_>,
        changes: &[FileChange],
        is_ours: &dyn Fn(&str) -> bool,
        signs: &mut Signs,
    ) -> Result<()> {
        let Overlap {
            undone,
            touched,
            redone,
        } = overlap(&self.ours, changes);
        let is_named = names(commit, &self.merge.commit);
        if touched == 0 && !is_named {
            return Ok(());
        }
        // What stands before the merge, or beside it on a branch of its own, says nothing about it.
        let on_top = if self.reachable {
            git.graph_descendant_of(commit.id(), self.id)?
        } else {
            !git.graph_descendant_of(self.id, commit.id())? && commit.id() != self.id
        };
        if !on_top {
            return Ok(());
        }
        let seen = seen(commit);
        self.last = Some(seen.clone());
        // On a rewritten branch the same lines come anew, as part of other commits: what counts is where it ends.
        if self.undone.is_none() && self.reachable && redone == 0 && (undone > 0 || (is_named && touched > 0)) {
            self.undone = Some(Undone {
                fix: self.merge.fix.clone(),
                merge: self.merge.commit.clone(),
                how: if is_named { How::Message } else { How::Content },
                by: Some(seen),
                undone: undone.max(1),
                of: size(&self.ours),
                stands: false,
            });
        } else if undone == 0
            && redone == 0
            && touched > 0
            && !is_ours(&commit.id().to_string())
            && is_soon(self.merge.at, seen.at)
        {
            signs.changed.push(Changed {
                fix: self.merge.fix.clone(),
                merge: self.merge.commit.clone(),
                by: seen,
                touched,
            });
        }
        Ok(())
    }

    /// What is left of the merge at the end of the branch.
    fn finish(self, git: &Repository, head: &git2::Tree<'_>) -> Result<Option<Undone>> {
        let tree = git.find_commit(self.id)?.tree()?;
        let paths: BTreeSet<String> = self.paths().collect();
        let left = overlap(&self.ours, &between(git, &tree, head, Some(&paths))?);
        if let Some(mut undone) = self.undone {
            undone.stands = left.touched == 0;
            // The rest may have followed in later commits.
            undone.undone = undone.undone.max(left.undone);
            return Ok(Some(undone));
        }
        Ok((left.undone > 0).then(|| Undone {
            fix: self.merge.fix.clone(),
            merge: self.merge.commit.clone(),
            how: if self.reachable { How::Bit } else { How::Rewritten },
            by: self.last,
            undone: left.undone,
            of: size(&self.ours),
            stands: false,
        }))
    }
}

/// Whether a message names a commit as reverted: what `git revert` writes, or a line of a person's own that holds
/// the word and the commit.
fn names(commit: &Commit<'_>, merge: &str) -> bool {
    let bytes = commit.message_bytes();
    let message = String::from_utf8_lossy(bytes.get(..bytes.len().min(MAX_MESSAGE_BYTES)).unwrap_or_default());
    let is_it = |word: &str| word.len() >= MIN_ABBREVIATION && merge.starts_with(&word.to_ascii_lowercase());
    message
        .lines()
        .filter(|line| line.to_ascii_lowercase().contains("revert"))
        .flat_map(|line| line.split(|c: char| !c.is_ascii_hexdigit()))
        .any(is_it)
}

fn is_soon(merged: Timestamp, committed: Timestamp) -> bool {
    committed.duration_since(merged) <= SOON
}

fn seen(commit: &Commit<'_>) -> Seen {
    Seen {
        commit: commit.id().to_string(),
        author: String::from_utf8_lossy(commit.author().name_bytes()).into_owned(),
        summary: String::from_utf8_lossy(commit.summary_bytes().unwrap_or_default()).into_owned(),
        at: Timestamp::from_second(commit.time().seconds()).unwrap_or(Timestamp::MIN),
    }
}

/// Enough of a commit's id to tell it from others.
pub fn short(commit: &str) -> &str {
    commit.get(..10).unwrap_or(commit)
}
