//! What is wrong with a pack.

use std::fmt;

use holdpoint_schemas::SourceError;
use miette::Diagnostic;

/// Why a pack doesn't compile: everything that was found, in the order of its files.
#[derive(Debug, Clone, thiserror::Error, Diagnostic)]
pub struct PolicyError {
    /// Name of the pack.
    pub pack: String,
    /// What is wrong, and where. Never empty.
    #[related]
    pub errors: Vec<SourceError>,
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "policy pack `{}` has {} error", self.pack, self.errors.len())?;
        f.write_str(if self.errors.len() == 1 { "" } else { "s" })?;
        for error in &self.errors {
            write!(f, "\n  {}", error.one_line())?;
        }
        Ok(())
    }
}
