//! How far the automation may go for one finding.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// `alert` < `suggest` < `auto-apply`. Alert is the floor: nothing is silently dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Tell people; change nothing.
    Alert,
    /// Open a pull request that waits for a human's go.
    Suggest,
    /// Merge the tree that was tested.
    AutoApply,
}

impl Level {
    /// Every level, lowest first.
    pub const ALL: [Self; 3] = [Self::Alert, Self::Suggest, Self::AutoApply];

    /// The name that people and files use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Alert => "alert",
            Self::Suggest => "suggest",
            Self::AutoApply => "auto-apply",
        }
    }

    /// The level below, or `None` at the bottom.
    #[must_use]
    pub const fn previous(self) -> Option<Self> {
        match self {
            Self::Alert => None,
            Self::Suggest => Some(Self::Alert),
            Self::AutoApply => Some(Self::Suggest),
        }
    }

    /// The level above, or `None` at the top.
    #[must_use]
    pub const fn next(self) -> Option<Self> {
        match self {
            Self::Alert => Some(Self::Suggest),
            Self::Suggest => Some(Self::AutoApply),
            Self::AutoApply => None,
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
