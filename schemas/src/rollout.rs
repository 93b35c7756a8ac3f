//! Lanes: slices of findings with a rollout stage of their own.

use serde::{Deserialize, Serialize};

use crate::Level;

/// Which findings a lane takes. An absent field matches all; an unknown fact matches none that
/// names it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LaneMatch {
    /// Fix kinds, for example `dependency-upgrade`.
    #[serde(default)]
    pub kinds: Option<Vec<String>>,
    /// Environments.
    #[serde(default)]
    pub environments: Option<Vec<String>>,
    /// Tiers.
    #[serde(default)]
    pub tiers: Option<Vec<u8>>,
}

/// A slice of findings with its own stage: the highest level that it may reach.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lane {
    /// Name.
    pub name: String,
    /// Which findings; the first lane that matches is the one.
    #[serde(default, rename = "match")]
    pub matches: LaneMatch,
    /// Highest level.
    pub stage: Level,
}

/// `rollout.yaml`. What no lane matches is capped at [`Rollout::default_stage`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rollout {
    /// Cap of what no lane matches.
    #[serde(default = "suggest")]
    pub default_stage: Level,
    /// Lanes, first match wins.
    #[serde(default)]
    pub lanes: Vec<Lane>,
}

const fn suggest() -> Level {
    Level::Suggest
}
