//! Terraform and OpenTofu plans (`terraform show -json PLAN`, JSON output format 0.x and 1.x).
//!
//! Counts are those of the plan's own last line ("Plan: 1 to add, …"): a replacement is one addition and one
//! destruction, data sources and moves don't count, objects that are only forgotten aren't destroyed. Values that the plan
//! marks as sensitive are dropped while reading.

mod change;
mod hardening;
mod kind;
mod read;

use serde::Serialize;

pub(crate) use change::cloud_ids;
pub use change::{Action, ResourceChange};
pub use hardening::undoes_hardening;
pub use kind::CriticalKind;
pub(crate) use read::from_text;
pub use read::read_plan;

/// What a plan would do, in numbers and addresses; the shape of `holdpoint iac read`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct PlanSummary {
    /// How many objects are created, replacements included.
    pub add: usize,
    /// How many objects are changed in place.
    pub change: usize,
    /// How many objects are destroyed, replacements and deposed objects included.
    pub destroy: usize,
    /// How many objects are imported.
    pub imports: usize,
    /// Addresses of what differs from what Terraform last saw.
    pub drift: Vec<String>,
    /// Addresses of what is destroyed and not created again.
    pub destroys: Vec<String>,
    /// Addresses of what is replaced.
    pub replaces: Vec<String>,
}

/// A plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Numbers and addresses.
    pub summary: PlanSummary,
    /// What would be done to each resource, in the plan's order; without those that nothing happens to.
    pub changes: Vec<ResourceChange>,
    /// What happened to each resource outside of Terraform: `before` is what it last saw, `after` is live.
    pub drift: Vec<ResourceChange>,
    /// Addresses of what is no longer managed, but left as it is.
    pub forgets: Vec<String>,
    /// What the plan doesn't say or we don't understand, one line each, for people. While there is something here, what
    /// isn't in the plan may still happen.
    pub gaps: Vec<String>,
}

impl Plan {
    /// Whether applying it destroys or replaces something; `None` when nothing is seen but the plan has gaps.
    #[must_use]
    pub fn destroys_resources(&self) -> Option<bool> {
        match self.summary.destroy {
            0 => self.gaps.is_empty().then_some(false),
            _ => Some(true),
        }
    }

    /// What it changes, replaces or destroys that is critical.
    pub fn critical_changes(&self) -> impl Iterator<Item = &ResourceChange> {
        let changed = self.changes.iter().filter(|change| change.action != Action::Read);
        changed.filter(|change| change.critical.is_some())
    }
}

#[cfg(test)]
mod tests;
