//! What can go wrong with a candidate fix.

use holdpoint_schemas::SourceError;
use thiserror::Error;

/// Why a candidate fix can't be used.
#[derive(Debug, Error)]
pub enum FixError {
    /// The patch file is wrong at some place.
    #[error(transparent)]
    Source(Box<SourceError>),
    /// The change does something that no fix may do, whatever brought it here.
    #[error("`{path}` {why}")]
    Refused {
        /// Path in the repo.
        path: String,
        /// What is wrong with it: continues the sentence that the path starts.
        why: String,
        /// What to do about it.
        help: String,
    },
    /// The patch is well-formed, but its context isn't in the base.
    #[error("the patch doesn't apply to `{base}`: {why}")]
    DoesNotApply {
        /// Base commit.
        base: String,
        /// What didn't match.
        why: String,
        /// What to do about it.
        help: String,
    },
    /// A patch program would apply it by leaving out context, at a place that looks alike. That
    /// isn't the change that was proposed.
    #[error(
        "the patch doesn't apply to `{base}`: the lines around line {line} of `{path}` differ; only with fuzz {fuzz} \
         would it"
    )]
    NeedsFuzz {
        /// Base commit.
        base: String,
        /// Path in the repo.
        path: String,
        /// Line of the base where the hunk says it starts, 1-based.
        line: u32,
        /// Context lines to leave out at either end of the hunk.
        fuzz: usize,
    },
    /// A commit, tree or path that isn't in the repo.
    #[error("no {what} `{id}` in the repo")]
    Missing {
        /// What was looked for.
        what: &'static str,
        /// As it was given.
        id: String,
    },
    /// The change or the tree is larger than is worth reading.
    #[error("{what} is larger than {limit}")]
    TooLarge {
        /// What.
        what: String,
        /// The limit, with its unit.
        limit: String,
    },
    /// The object database couldn't be read or written.
    #[error("git object database: {0}")]
    Git(String),
}

impl From<SourceError> for FixError {
    fn from(error: SourceError) -> Self {
        Self::Source(Box::new(error))
    }
}

impl From<git2::Error> for FixError {
    fn from(error: git2::Error) -> Self {
        Self::Git(error.message().to_owned())
    }
}

impl FixError {
    /// One line for people, with file and line where they are known.
    #[must_use]
    pub fn one_line(&self) -> String {
        match self {
            Self::Source(error) => error.one_line(),
            other => other.to_string(),
        }
    }

    /// What to do about it, where there is something to say.
    #[must_use]
    pub fn help_line(&self) -> Option<&str> {
        match self {
            Self::Source(error) => error.help.as_deref(),
            Self::Refused { help, .. } | Self::DoesNotApply { help, .. } => Some(help),
            Self::NeedsFuzz { .. } => {
                Some("make the fix anew on this base; a change is never put where it only seems to fit")
            }
            Self::TooLarge { .. } => Some("split the change into several fixes"),
            Self::Missing { .. } | Self::Git(_) => None,
        }
    }
}
