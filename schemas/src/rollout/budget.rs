//! What may be done in a night, and when it stops.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What may be done in a night. An absent field sets no limit, but for `per_tier_zero`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Budget {
    /// How many fixes may be auto-applied.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_night: Option<u32>,
    /// How many of one service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_service: Option<u32>,
    /// How many of one team.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_team: Option<u32>,
    /// How many services around one tier-0 service may be changed, itself among them.
    pub per_tier_zero: u32,
    /// How many pull requests may be opened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suggestions: Option<u32>,
    /// How many minutes of sandbox time may be spent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minutes: Option<u32>,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            per_night: None,
            per_service: None,
            per_team: None,
            per_tier_zero: 1,
            suggestions: None,
            minutes: None,
        }
    }
}

/// When a night begins. It lasts until the next one does, so that a run at 23:00 and one at 04:00 share a budget.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Night {
    /// Its first minute, `HH:MM`.
    pub begins: String,
    /// IANA time zone, for example `Europe/Berlin`.
    pub zone: String,
}

impl Night {
    /// Whether it is noon to noon in UTC.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl Default for Night {
    fn default() -> Self {
        Self {
            begins: "12:00".to_owned(),
            zone: "UTC".to_owned(),
        }
    }
}

/// When automation halts by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Breakers {
    /// For everything.
    pub estate: Breaker,
    /// For one remediator.
    pub remediator: Breaker,
}

impl Breakers {
    /// Whether they are the default ones.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl Default for Breakers {
    fn default() -> Self {
        Self {
            estate: Breaker { failures: 5, hours: 24 },
            remediator: Breaker { failures: 3, hours: 72 },
        }
    }
}

/// So many fixes that were reverted or led to an incident, within so many hours: halt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Breaker {
    /// Different fixes that were reverted or led to an incident.
    pub failures: u32,
    /// Within so many hours.
    pub hours: u32,
}
