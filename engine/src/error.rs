//! What can go wrong while deciding.

use thiserror::Error;

/// A decision that couldn't be written down. Everything else that goes wrong while deciding (a
/// policy that errors, facts that don't fit the schema) is not an error but an alert, with its bound.
#[derive(Debug, Error)]
pub enum EngineError {
    /// An input or the decision can't be written as JSON, so it has no digest.
    #[error("can't write the decision as JSON: {0}")]
    Json(#[from] serde_json::Error),
}
