//! What can go wrong while reading.

use holdpoint_schemas::SourceError;
use thiserror::Error;

/// A result whose error points at a place in a file. Boxed: the error carries the file's text.
pub type SourceResult<T> = Result<T, Box<SourceError>>;

/// What can go wrong while reading.
#[derive(Debug, Error)]
pub enum IntakeError {
    /// Something in a file; it knows file, line, what was expected and what to do.
    #[error("{}", .0.one_line())]
    Source(#[from] Box<SourceError>),
    /// The git repo couldn't be read.
    #[error("can't read the git history of `{commit}`: {message}")]
    Git {
        /// Commit that the reading began at.
        commit: String,
        /// What libgit2 says.
        message: String,
    },
    /// More commits than are looked at, so that the answer would be incomplete.
    #[error("more than {limit} commits since then on `{commit}`")]
    HistoryTooLong {
        /// Commit that the reading began at.
        commit: String,
        /// How many are looked at.
        limit: usize,
    },
}

impl IntakeError {
    /// The place in a file, where the error is about one.
    #[must_use]
    pub fn source_error(&self) -> Option<&SourceError> {
        match self {
            Self::Source(error) => Some(error),
            _ => None,
        }
    }
}

impl From<SourceError> for IntakeError {
    fn from(error: SourceError) -> Self {
        Self::Source(Box::new(error))
    }
}
