//! A lane: which findings it takes, how far it may go, and what it has to earn for that.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use super::{Budget, Ratio};
use crate::fix::FixClass;
use crate::{Digest, Level};

/// Which findings a lane takes: those that every field names. An absent field matches all. Where a field says several
/// things of a fix (the teams of two owners), all must be named; some of them only leave it open whether the lane takes
/// it, as an unknown fact does, and then the lowest stage that is still open holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LaneMatch {
    /// Fix classes: `mechanical`, `logic`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub classes: Option<Vec<FixClass>>,
    /// Fix kinds, for example `dependency-upgrade`.
    #[serde(default)]
    pub kinds: Option<Vec<String>>,
    /// Ecosystems of moved dependencies as package URLs name them, for example `npm`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ecosystems: Option<Vec<String>>,
    /// Environments: the most protected one that a merge reaches.
    #[serde(default)]
    pub environments: Option<Vec<String>>,
    /// Tiers; 0 is the most critical.
    #[serde(default)]
    pub tiers: Option<Vec<u8>>,
    /// Systems of the services that own what is touched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub systems: Option<Vec<String>>,
    /// Teams that own what is touched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub teams: Option<Vec<String>>,
    /// Who made the fix.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remediators: Option<Vec<String>>,
}

/// A slice of findings with its own stage: the highest level that it may reach.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Lane {
    /// Unique name.
    pub name: String,
    /// Which findings; the first lane that matches is the one.
    #[serde(default, rename = "match")]
    pub matches: LaneMatch,
    /// The stage that it starts at.
    pub stage: Level,
    /// The stage that it never goes above, whatever the evidence and whoever asks. Without one it never goes above the
    /// stage that it starts at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ceiling: Option<Level>,
    /// Whether it only decides and records: it acts as the stage below its own.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub shadow: bool,
    /// Which share of what could be auto-applied is; the rest is suggested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub canary: Option<Canary>,
    /// What it has to show for the next stage. Without it only a person raises it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promotion: Option<Promotion>,
    /// What lowers it, besides a revert and an incident, which always do.
    #[serde(default, skip_serializing_if = "Demotion::is_default")]
    pub demotion: Demotion,
    /// What it may do in a night.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<Budget>,
    /// Days for which the same change must have been in the ring before, before it is auto-applied in this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub soak_days: Option<u32>,
    /// When it may auto-apply; always, where there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub windows: Vec<LaneWindow>,
}

impl Lane {
    /// A lane that takes everything, starts at a stage and stays below it.
    #[must_use]
    pub fn new(name: impl Into<String>, stage: Level) -> Self {
        Self {
            name: name.into(),
            matches: LaneMatch::default(),
            stage,
            ceiling: None,
            shadow: false,
            canary: None,
            promotion: None,
            demotion: Demotion::default(),
            budget: None,
            soak_days: None,
            windows: Vec::new(),
        }
    }

    /// The same lane for other findings.
    #[must_use]
    pub fn matching(mut self, matches: LaneMatch) -> Self {
        self.matches = matches;
        self
    }

    /// The stage that it never goes above.
    #[must_use]
    pub fn ceiling(&self) -> Level {
        self.ceiling.unwrap_or(self.stage)
    }

    /// Digest of which findings it takes. What was earned with other findings isn't earned with these, so outcomes and
    /// stages are recorded with it. `None` only if the match can't be written as JSON, which nothing in it prevents.
    #[must_use]
    pub fn slice(&self) -> Option<Digest> {
        Digest::of_json(&self.matches).ok()
    }
}

/// Which share of a lane's fixes is auto-applied. A fix is in it by a stable hash, so it doesn't change from night to
/// night, and a larger share holds all of a smaller one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Canary {
    /// Shares, smallest first, for example `[10%, 50%, 100%]`.
    pub shares: Vec<Ratio>,
    /// How many outcomes must have survived at one share, without a failure, before the next one holds.
    #[serde(default = "ten")]
    pub outcomes: u32,
}

const fn ten() -> u32 {
    10
}

/// What a lane has to show for the next stage: a lower confidence bound on its success rate that holds however often it
/// is looked at (`docs/rollout.md`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Promotion {
    /// The success rate that it must surpass with certainty `1 - error`.
    pub success_rate: Ratio,
    /// How likely a lane whose true rate isn't above that may ever be promoted all the same. Each demotion halves it.
    #[serde(default = "five_percent")]
    pub error: Ratio,
    /// How many outcomes it needs at least.
    #[serde(default = "ten")]
    pub outcomes: u32,
    /// Days for which a merge must have survived before it counts.
    #[serde(default = "two_weeks")]
    pub survival_days: u32,
}

impl Default for Promotion {
    fn default() -> Self {
        Self {
            success_rate: Ratio::percent(95),
            error: five_percent(),
            outcomes: ten(),
            survival_days: two_weeks(),
        }
    }
}

const fn five_percent() -> Ratio {
    Ratio::percent(5)
}

const fn two_weeks() -> u32 {
    14
}

/// What lowers a lane. A revert and an incident always do, in the run that learns of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Demotion {
    /// How many stages it falls.
    pub stages: u8,
    /// The stage that it doesn't fall below; `suggest`, or the stage it starts at where that is lower.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub floor: Option<Level>,
    /// Days after a demotion in which it isn't promoted, whatever the evidence.
    pub hold_days: u32,
    /// How many fixes that reviewers turned down within `window_days` lower it. Without it they only count against it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held_by_review: Option<u32>,
    /// Which rate of failed validations within `window_days` lowers it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validation_failures: Option<FailureRate>,
    /// Days that the two counts above look back.
    pub window_days: u32,
}

impl Demotion {
    /// Whether it says nothing beyond the defaults.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl Default for Demotion {
    fn default() -> Self {
        Self {
            stages: 1,
            floor: None,
            hold_days: 30,
            held_by_review: None,
            validation_failures: None,
            window_days: 30,
        }
    }
}

/// A rate of failed validations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FailureRate {
    /// The rate from which on it lowers the lane.
    pub share: Ratio,
    /// How many validated fixes it takes to speak of a rate.
    #[serde(default = "ten")]
    pub outcomes: u32,
}

/// A time in the week.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LaneWindow {
    /// Days on which it begins; every day without. An empty list is refused: it could be read as no day.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "some_days")]
    #[schemars(length(min = 1))]
    pub days: Vec<Weekday>,
    /// First minute, `HH:MM`.
    pub from: String,
    /// First minute after it, `HH:MM`; on the next day, where it isn't after `from`.
    pub to: String,
    /// IANA time zone, for example `Europe/Berlin`.
    #[serde(default = "utc")]
    pub zone: String,
}

fn utc() -> String {
    "UTC".to_owned()
}

fn some_days<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Weekday>, D::Error> {
    let days = Vec::deserialize(deserializer)?;
    match days.is_empty() {
        true => Err(serde::de::Error::custom("a window without any day never opens")),
        false => Ok(days),
    }
}

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Weekday {
    /// Monday.
    Monday,
    /// Tuesday.
    Tuesday,
    /// Wednesday.
    Wednesday,
    /// Thursday.
    Thursday,
    /// Friday.
    Friday,
    /// Saturday.
    Saturday,
    /// Sunday.
    Sunday,
}
