//! Staged rollout: lanes, what they have to earn, and what is on record of them.
//!
//! A lane is a slice of findings with its own stage: the highest level that it may reach. `rollout.yaml` says where each
//! lane starts and how far it may ever go; the records ([`Record`]) say where it stands now.

mod budget;
mod lane;
mod ratio;
mod record;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Level;

pub use budget::{Breaker, Breakers, Budget, Night};
pub use lane::{Canary, Demotion, FailureRate, Lane, LaneMatch, LaneWindow, Promotion, Weekday};
pub use ratio::Ratio;
pub use record::{
    Admission, Distance, Halt, HaltScope, Hold, LaneEvidence, LaneState, Record, StageCause, StageChange,
};

/// What stands for "no lane takes it" where a lane's name is expected. No lane may be called so.
pub const DEFAULT_LANE: &str = "default";

/// `rollout.yaml`. What no lane matches is capped at [`Rollout::default_stage`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rollout {
    /// Cap of what no lane matches. Nothing raises it.
    #[serde(default = "suggest")]
    pub default_stage: Level,
    /// Environments from the least to the most protected, for example `[dev, staging, production]`. Lanes with
    /// `soak_days` go through them in this order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rings: Vec<String>,
    /// When a night begins, for budgets that count per night.
    #[serde(default, skip_serializing_if = "Night::is_default")]
    pub night: Night,
    /// What all lanes together may do in a night.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<Budget>,
    /// When automation halts by itself, until a person resumes it.
    #[serde(default, skip_serializing_if = "Breakers::is_default")]
    pub breakers: Breakers,
    /// Lanes, first match wins.
    #[serde(default)]
    pub lanes: Vec<Lane>,
}

impl Rollout {
    /// A rollout without lanes that goes up to `stage`.
    #[must_use]
    pub fn up_to(stage: Level) -> Self {
        Self {
            default_stage: stage,
            rings: Vec::new(),
            night: Night::default(),
            budget: None,
            breakers: Breakers::default(),
            lanes: Vec::new(),
        }
    }

    /// The lane of that name.
    #[must_use]
    pub fn lane(&self, name: &str) -> Option<&Lane> {
        self.lanes.iter().find(|lane| lane.name == name)
    }
}

impl Default for Rollout {
    fn default() -> Self {
        Self::up_to(suggest())
    }
}

const fn suggest() -> Level {
    Level::Suggest
}

#[cfg(test)]
mod tests;
