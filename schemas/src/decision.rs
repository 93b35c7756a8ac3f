//! A decision: how far, what kept it from being higher, and what would unlock the next level.

use serde::{Deserialize, Serialize};

use crate::actor::Remediator;
use crate::fact::{Action, FactReading, FactSet, Unknown};
use crate::finding::Fingerprint;
use crate::service::ServiceId;
use crate::{Digest, Level, Timestamp};

/// At which of the three evaluations it was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// Before evidence: the level that is still possible.
    Triage,
    /// With evidence.
    Release,
    /// At the moment of merge.
    Merge,
}

impl Phase {
    /// The name that people and files use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Triage => "triage",
            Self::Release => "release",
            Self::Merge => "merge",
        }
    }
}

/// What kind of thing kept the level down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BoundKind {
    /// A policy forbids it, on facts that are known.
    Policy,
    /// A policy forbids it because a fact is unknown.
    UnknownFact,
    /// A policy forbids it because a check failed or is inconclusive.
    Evidence,
    /// No policy permits it.
    NoPermit,
    /// The lane's rollout stage caps it.
    RolloutStage,
    /// Tonight's budget is spent, or the fix isn't in it.
    Budget,
    /// The estate or the remediator is halted.
    CircuitBreaker,
    /// The fix isn't in the share that the lane auto-applies.
    Canary,
    /// The same change hasn't been in the ring before for long enough.
    Soak,
    /// The lane only decides and records.
    Shadow,
    /// The lane's window is closed.
    Window,
    /// There is no candidate fix.
    NoFix,
    /// A policy couldn't be evaluated; the decision falls to alert.
    EvaluationError,
}

/// One thing that kept the level down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bound {
    /// The level that it withholds.
    pub withholds: Level,
    /// Kind.
    pub kind: BoundKind,
    /// Policy id, lane, or `no-fix`.
    pub id: String,
    /// One sentence for people, with the notes of the facts that matter.
    pub reason: String,
    /// Facts that it read, with source and age.
    pub facts: Vec<FactReading>,
    /// Those of them that are unknown, with who could supply them.
    pub unknowns: Vec<Unknown>,
    /// What would lift it, where the policy says.
    pub unlock: Option<String>,
}

/// What withholds a level from outside of policies, facts and the lane's stage: a budget, a circuit breaker, a canary.
/// Each that applies becomes a [`Bound`]. A cap never raises a level.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cap {
    /// The level that it withholds, and all above it. Alert is the floor, so that one that withholds an alert
    /// withholds [`Level::Suggest`].
    pub withholds: Level,
    /// Kind.
    pub kind: BoundKind,
    /// Lane, remediator, service or team that it is about; `estate` for all.
    pub id: String,
    /// One sentence for people.
    pub reason: String,
    /// What would lift it.
    pub unlock: Option<String>,
}

/// Digests of all inputs, so that the decision can be replayed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputDigests {
    /// Text of every policy.
    pub policies: Digest,
    /// Text of the Cedar schema.
    pub schema: Digest,
    /// Values of all facts.
    pub facts: Digest,
    /// Diff of the fix; `None` without one.
    pub diff: Option<Digest>,
    /// Base commit of the fix.
    pub base: Option<String>,
    /// Tree of the candidate.
    pub tree: Option<String>,
    /// Evidence; `None` at triage.
    pub evidence: Option<Digest>,
    /// Lanes with the stages that they had.
    pub rollout: Digest,
    /// What withheld levels besides policies, facts and the lane's stage.
    pub caps: Digest,
}

/// A decision on one (fix, finding) pair.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// Digest of everything below, canonically.
    pub id: Digest,
    /// Finding.
    pub finding: Fingerprint,
    /// Repo.
    pub repo: String,
    /// Branch of the repo.
    pub branch: String,
    /// Service that was decided on; its id is `unknown` when no catalogue knows it.
    pub service: ServiceId,
    /// Fix, by id; `None` without one.
    pub fix: Option<Digest>,
    /// Who made the fix.
    pub remediator: Remediator,
    /// Which evaluation.
    pub phase: Phase,
    /// How far.
    pub level: Level,
    /// What withholds each higher level, lowest level first.
    pub bounds: Vec<Bound>,
    /// `@reason`s of the policies that permit the level.
    pub permitted_by: Vec<String>,
    /// Facts as they were.
    pub facts: FactSet,
    /// When, as the injected clock says.
    pub at: Timestamp,
    /// Digests of the inputs.
    pub inputs: InputDigests,
}

/// Answer of the third action, `promote`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Permission {
    /// Which action was asked.
    pub action: Action,
    /// Whether it is permitted.
    pub permitted: bool,
    /// What withholds it.
    pub bounds: Vec<Bound>,
}
