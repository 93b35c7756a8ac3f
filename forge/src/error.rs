//! What can go wrong between us and a remote.

use std::path::PathBuf;
use std::time::Duration;
use thiserror::Error;

/// Why a forge couldn't do what it was asked.
#[derive(Debug, Error)]
pub enum ForgeError {
    /// Not a name that git takes for a branch, or one that could be read as something else.
    #[error("`{name}` is not a branch name: {why}")]
    Branch {
        /// What was given, printable.
        name: String,
        /// Why.
        why: &'static str,
    },
    /// Not a full commit or tree id.
    #[error("`{id}` is not an object id: expected 40 lower-case hexadecimal digits")]
    Id {
        /// What was given, printable.
        id: String,
    },
    /// Not a remote that we speak to.
    #[error("`{remote}` can't be used as a remote: {why}")]
    Remote {
        /// The remote, without any password.
        remote: String,
        /// Why.
        why: &'static str,
    },
    /// The remote is not there.
    #[error("there is no repository at `{remote}`")]
    NoRemote {
        /// The remote.
        remote: String,
    },
    /// No such branch in the cache.
    #[error("there is no branch `{branch}`")]
    NoBranch {
        /// Branch.
        branch: String,
    },
    /// `git` ran and failed.
    #[error("git failed while {doing}: {output}")]
    Git {
        /// What was being done.
        doing: &'static str,
        /// What git printed, bounded and printable.
        output: String,
    },
    /// `git` didn't finish and was ended with everything it had started.
    #[error("git did not finish {doing} within {} s", .after.as_secs())]
    TimedOut {
        /// What was being done.
        doing: &'static str,
        /// Limit.
        after: Duration,
    },
    /// A file or process of this machine failed.
    #[error("{doing} failed: {source}")]
    Io {
        /// What was being done.
        doing: String,
        /// Cause.
        source: std::io::Error,
    },
    /// The object database failed or lacks something.
    #[error("{doing} failed: {message}")]
    Objects {
        /// What was being done.
        doing: &'static str,
        /// libgit2's words.
        message: String,
    },
    /// Something that would make the commit's message say what it must not.
    #[error("the {field} of the commit {why}")]
    Message {
        /// Which field.
        field: String,
        /// Why.
        why: &'static str,
    },
    /// The commit is not what was said to have been tested.
    #[error("`{commit}` is not what was tested: {why}")]
    NotTested {
        /// Commit.
        commit: String,
        /// What differs.
        why: String,
    },
    /// The branch was moved, and reads back as something else.
    #[error(
        "`{branch}` was set to `{commit}`, but reads back as {found}: somebody else moves it, look at it before anything else is merged"
    )]
    NotThere {
        /// Branch.
        branch: String,
        /// What was pushed.
        commit: String,
        /// What is there.
        found: String,
    },
    /// The published branch was moved by somebody else.
    #[error("`{branch}` was moved by somebody else; it was not overwritten")]
    BranchMoved {
        /// Branch.
        branch: String,
    },
    /// The document's place in the pull-request folder leads elsewhere.
    #[error("`{}` is not a plain file or folder", .path.display())]
    Document {
        /// Path.
        path: PathBuf,
    },
}

impl ForgeError {
    pub(crate) fn io(doing: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let doing = doing.into();
        move |source| Self::Io { doing, source }
    }

    pub(crate) fn objects(doing: &'static str) -> impl FnOnce(git2::Error) -> Self {
        move |error| Self::Objects {
            doing,
            message: error.message().to_owned(),
        }
    }
}

/// Text from elsewhere as one bounded printable line.
pub(crate) fn printable(text: &str) -> String {
    /// More than any honest name or line of git's.
    const MAX_CHARS: usize = 200;
    let shown: String = text.chars().take(MAX_CHARS).flat_map(char::escape_debug).collect();
    if text.chars().nth(MAX_CHARS).is_some() {
        format!("{shown}…")
    } else {
        shown
    }
}
