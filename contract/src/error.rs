//! What can go wrong with a contract file.

use holdpoint_schemas::SourceError;
use thiserror::Error;

/// Why a contract can't be read or compared.
#[derive(Debug, Error)]
pub enum ContractError {
    /// The file is wrong at some place, or isn't what was expected.
    #[error(transparent)]
    Source(Box<SourceError>),
}

impl From<SourceError> for ContractError {
    fn from(error: SourceError) -> Self {
        Self::Source(Box::new(error))
    }
}

impl ContractError {
    /// One line for people: `file:line:column: message`.
    #[must_use]
    pub fn one_line(&self) -> String {
        let Self::Source(error) = self;
        error.one_line()
    }

    /// What to do about it, where there is something to say.
    #[must_use]
    pub fn help_line(&self) -> Option<&str> {
        let Self::Source(error) = self;
        error.help.as_deref()
    }
}
