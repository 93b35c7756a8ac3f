//! Git branches, candidate commits and pull requests: how a decided fix reaches a remote.
//!
//! What merges is exactly the commit whose tree was tested: a branch moves by fast-forward and
//! compare-and-swap, and is read back afterwards. The network is spoken by the `git` command line
//! (see [`git`]) with every hook, helper and prompt of this machine off; objects are made with
//! libgit2, which never runs any. Everything here blocks: call it where blocking is allowed.

pub mod commit;
mod error;
pub mod git;
mod local;
mod names;
pub mod pull_request;

pub use commit::{Candidate, commit_candidate};
pub use error::ForgeError;
pub use local::LocalForge;
pub use names::BRANCH_PREFIX;
pub use pull_request::PullRequest;

use std::path::PathBuf;

/// A commit that waits for a human on a branch of its own.
#[derive(Debug, Clone)]
pub struct Proposal {
    /// Branch that holds the fix; starts with [`BRANCH_PREFIX`].
    pub branch: String,
    /// Commit, 40 hexadecimal digits; in the forge's cache.
    pub commit: String,
    /// What the humans read.
    pub document: PullRequest,
}

/// What publishing did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// Whether the branch already held exactly this commit.
    pub existed: bool,
    /// The pull-request document.
    pub document: PathBuf,
}

/// A tested commit that may go onto a branch.
#[derive(Debug, Clone)]
pub struct Merge {
    /// Branch that moves.
    pub branch: String,
    /// Where it must stand.
    pub expected_base: String,
    /// How many commits lie on top of it, one after the other; `commit` is the last of them.
    pub commits: usize,
    /// The commit that was tested, in the forge's cache.
    pub commit: String,
    /// The tree that was tested.
    pub tree: String,
}

/// What merging did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MergeOutcome {
    /// The branch holds exactly the tested commit, read back from the remote. Also when an
    /// earlier merge had put it there.
    Merged,
    /// The branch stands elsewhere, so nothing was moved: test again on top of `head`.
    BaseMoved {
        /// Where it stands; `None` when it is gone.
        head: Option<String>,
    },
}

/// A place where branches and pull requests live.
pub trait Forge {
    /// The commit that a branch of the remote points at now; `None` when there is no such branch.
    ///
    /// # Errors
    /// When the name is no branch name or the remote can't be asked.
    fn head(&self, branch: &str) -> Result<Option<String>, ForgeError>;

    /// Puts a commit on a branch of its own with a pull request. Publishing the same again
    /// changes nothing.
    ///
    /// # Errors
    /// When a name is refused, the remote can't be reached, or the document can't be written.
    fn publish(&self, proposal: &Proposal) -> Result<Published, ForgeError>;

    /// Moves a branch to exactly the tested commit, if it still stands at the expected base.
    ///
    /// # Errors
    /// When the commit is not the tested tree on that base, or the remote refuses.
    fn merge(&self, merge: &Merge) -> Result<MergeOutcome, ForgeError>;

    /// Withdraws a pull request and its branch, and says why in the document.
    ///
    /// # Errors
    /// When the name is refused, the remote can't be reached, or the document can't be written.
    fn close(&self, branch: &str, why: &str) -> Result<(), ForgeError>;
}
