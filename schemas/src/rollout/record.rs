//! What is on record of lanes, and what follows from it.

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

use super::Ratio;
use crate::actor::Remediator;
use crate::outcome::OutcomeRecord;
use crate::service::ServiceId;
use crate::{Digest, Level, Timestamp};

/// One thing on record, in the order in which it was recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Record {
    /// What became of a fix.
    Outcome(OutcomeRecord),
    /// A lane went to another stage.
    Stage(StageChange),
    /// A person holds a lane at its stage, or lets it go.
    Hold(Hold),
    /// Automation was halted or resumed.
    Halt(Halt),
    /// A fix was let through tonight's budget.
    Admission(Admission),
}

impl Record {
    /// When.
    #[must_use]
    pub const fn at(&self) -> Timestamp {
        match self {
            Self::Outcome(record) => record.at,
            Self::Stage(record) => record.at,
            Self::Hold(record) => record.at,
            Self::Halt(record) => record.at,
            Self::Admission(record) => record.at,
        }
    }
}

/// Why a lane went to another stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StageCause {
    /// Its evidence earned it.
    Promoted,
    /// A revert, an incident, or another trigger of its `demotion`.
    Demoted,
    /// A person said so.
    Advanced,
}

/// A lane went to another stage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StageChange {
    /// Lane.
    pub lane: String,
    /// Which findings the lane took then ([`Lane::slice`](super::Lane::slice)).
    #[serde(default)]
    pub slice: Option<Digest>,
    /// Stage before.
    pub from: Level,
    /// Stage after.
    pub to: Level,
    /// Why, in one word.
    pub cause: StageCause,
    /// `holdpoint`, or who.
    pub by: String,
    /// Why, one sentence for people.
    pub reason: String,
    /// What was known then.
    pub evidence: LaneEvidence,
    /// When.
    pub at: Timestamp,
}

/// A person holds a lane where it is: its evidence doesn't promote it. Demotion goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hold {
    /// Lane.
    pub lane: String,
    /// Which findings the lane took then ([`Lane::slice`](super::Lane::slice)); older records don't say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slice: Option<Digest>,
    /// Whether it is held from now on, or let go.
    pub on: bool,
    /// Who.
    pub by: String,
    /// Why.
    pub reason: String,
    /// When.
    pub at: Timestamp,
}

/// What is halted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HaltScope {
    /// Everything.
    Estate,
    /// What this remediator makes.
    Remediator(Remediator),
}

/// Automation was halted or resumed. What is halted is only reported: nothing of it is merged, and no pull request is
/// opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Halt {
    /// What.
    pub scope: HaltScope,
    /// Halted from now on, or resumed.
    pub on: bool,
    /// `holdpoint`, or who. Only a person resumes.
    pub by: String,
    /// Why.
    pub reason: String,
    /// When.
    pub at: Timestamp,
}

/// A fix was let through the budget, before anything was done with it. A fix counts once in a night, however often it
/// is admitted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Admission {
    /// Lane.
    pub lane: String,
    /// Fix.
    pub fix: Digest,
    /// How far it was let through: [`Level::AutoApply`] counts as a merge, [`Level::Suggest`] as a pull request.
    pub level: Level,
    /// Services that it changes.
    pub services: BTreeSet<ServiceId>,
    /// Teams that own them.
    #[serde(default)]
    pub teams: BTreeSet<String>,
    /// Tier-0 services around them: those that rely on them, those that they rely on, themselves.
    #[serde(default)]
    pub tier_zero: BTreeSet<ServiceId>,
    /// Sandbox time that it is reckoned to take, in minutes.
    #[serde(default)]
    pub minutes: u32,
    /// When.
    pub at: Timestamp,
}

/// What a lane has shown since it reached its stage.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LaneEvidence {
    /// Merges that survived.
    pub successes: u32,
    /// Fixes that were reverted, led to an incident, or were held by review.
    pub failures: u32,
    /// Merges that haven't survived long enough to count.
    pub pending: u32,
    /// Lower confidence bound on the success rate, rounded down.
    pub lower_bound: Ratio,
}

/// How far a lane is from its next stage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Distance {
    /// The next stage.
    pub next: Level,
    /// The success rate that its lower bound must surpass.
    pub target: Ratio,
    /// How many more merges must survive, if none fails. `None`: more than can be foreseen.
    pub successes: Option<u32>,
    /// What else keeps it: held, halted, the time after a demotion. One clause each.
    pub waits_for: Vec<String>,
}

/// Where a lane stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaneState {
    /// Lane.
    pub lane: String,
    /// Stage that it has now.
    pub stage: Level,
    /// Stage that it never goes above.
    pub ceiling: Level,
    /// Since when; `None` since the rollout file has it.
    pub since: Option<Timestamp>,
    /// Who or what brought it there: `rollout.yaml`, `holdpoint`, or a person.
    pub by: String,
    /// What it has shown since.
    pub evidence: LaneEvidence,
    /// How far it is from the next stage; `None` at its ceiling, or where nothing but a person raises it.
    pub distance: Option<Distance>,
    /// Who holds it there, and why.
    pub held: Option<Hold>,
    /// Until when it isn't promoted after a demotion.
    pub blocked_until: Option<Timestamp>,
    /// Share of what it could auto-apply that it does.
    pub canary: Ratio,
    /// How often it was demoted.
    pub demotions: u32,
}
