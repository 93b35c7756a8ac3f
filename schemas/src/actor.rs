//! Who does things: remediators and people.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Who made a candidate fix: a bot or a model, from an authenticated channel or the estate's
/// config, never from the patch. `none` while there is no fix.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Remediator(pub String);

impl Remediator {
    /// The remediator while there is no fix.
    #[must_use]
    pub fn none() -> Self {
        Self("none".to_owned())
    }
}

impl fmt::Display for Remediator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}
