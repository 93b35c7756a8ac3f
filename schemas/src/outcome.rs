//! What became of a fix.

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;

use crate::actor::Remediator;
use crate::service::ServiceId;
use crate::{Digest, Timestamp};

/// What became of a fix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OutcomeKind {
    /// It was merged. It counts as a success once it has survived.
    Merged,
    /// Its merge was undone.
    Reverted,
    /// It led to an incident.
    Incident,
    /// A reviewer turned it down.
    HeldByReview,
    /// It failed its validation, so nobody saw it.
    ValidationFailed,
    /// Its validation failed for a flaky test or a fault of the machine, which says nothing of the fix.
    Flaky,
}

impl OutcomeKind {
    /// Every kind.
    pub const ALL: [Self; 6] = [
        Self::Merged,
        Self::Reverted,
        Self::Incident,
        Self::HeldByReview,
        Self::ValidationFailed,
        Self::Flaky,
    ];

    /// The name that people and files use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Merged => "merged",
            Self::Reverted => "reverted",
            Self::Incident => "incident",
            Self::HeldByReview => "held-by-review",
            Self::ValidationFailed => "validation-failed",
            Self::Flaky => "flaky",
        }
    }
}

impl fmt::Display for OutcomeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What became of a fix, on record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutcomeRecord {
    /// Lane that took it; [`DEFAULT_LANE`](crate::rollout::DEFAULT_LANE) where none did.
    pub lane: String,
    /// Which findings the lane took then ([`Lane::slice`](crate::rollout::Lane::slice)). A success counts for the lane
    /// only while that is the same; a failure always counts.
    #[serde(default)]
    pub slice: Option<Digest>,
    /// Fix, by id.
    pub fix: Digest,
    /// Repo.
    pub repo: String,
    /// Branch that it merges into.
    pub branch: String,
    /// The merge; `None` where there was none.
    #[serde(default)]
    pub commit: Option<String>,
    /// Who made it.
    pub remediator: Remediator,
    /// Services that it changes.
    #[serde(default)]
    pub services: BTreeSet<ServiceId>,
    /// The most protected environment that it reached, where known: what soaks there.
    #[serde(default)]
    pub environment: Option<String>,
    /// What it changes, in names that the same change has elsewhere too: `pkg:npm/lodash@4.17.21`, or the fix kind.
    #[serde(default)]
    pub subjects: BTreeSet<String>,
    /// What became of it.
    pub kind: OutcomeKind,
    /// When that happened.
    pub at: Timestamp,
    /// Who says so: `holdpoint`, or a person.
    pub by: String,
    /// The incident, the revert or the review, as people find it.
    #[serde(default)]
    pub reference: Option<String>,
    /// Why, one sentence for people.
    #[serde(default)]
    pub reason: String,
}
