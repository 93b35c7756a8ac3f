//! Facts: what is known about a finding, its service, its fix or the moment.

mod cedar;
#[cfg(test)]
pub(crate) mod generated;
pub(crate) mod json_schema;
mod key;
pub mod keys;
pub mod org;
mod reference;
mod rows;
mod set;
mod table;

pub use key::{Key, Typed};
pub use rows::FACTS;
pub use set::{Fact, FactReading, FactSet, FactValue, Unknown};
pub use table::{FactRow, FactTable, FactType, row};

use serde::{Deserialize, Serialize};

/// What a policy is asked to permit. Alert needs no permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Action {
    /// Open a pull request.
    Suggest,
    /// Merge without asking.
    AutoApply,
    /// Merge a suggested fix that a human approved.
    Promote,
}

impl Action {
    /// Every action.
    pub const ALL: [Self; 3] = [Self::Suggest, Self::AutoApply, Self::Promote];

    /// The Cedar action id.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Suggest => "suggest",
            Self::AutoApply => "autoApply",
            Self::Promote => "promote",
        }
    }
}
