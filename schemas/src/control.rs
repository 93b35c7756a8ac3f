//! Human claims that automation must respect, and calendars.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Why a human holds a resource or path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ControlKind {
    /// An emergency change made by hand.
    BreakGlass,
    /// Something that makes an accepted risk bearable.
    Compensating,
    /// Don't touch.
    HandsOff,
}

impl ControlKind {
    /// The name that people and files use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BreakGlass => "break-glass",
            Self::Compensating => "compensating",
            Self::HandsOff => "hands-off",
        }
    }
}

/// A human's standing claim on a resource or path: who, why, until when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Control {
    /// Unique id.
    pub id: String,
    /// What kind of claim.
    pub kind: ControlKind,
    /// Repo that it is about.
    pub repo: String,
    /// IaC resource address, where it is about one.
    #[serde(default)]
    pub address: Option<String>,
    /// Path or folder in the repo, where it is about one.
    #[serde(default)]
    pub path: Option<String>,
    /// Who made the claim.
    pub owner: String,
    /// Why.
    pub reason: String,
    /// What it protects, for a compensating control: the finding or risk acceptance that rests on it.
    #[serde(default)]
    pub protects: Option<String>,
    /// Since when.
    pub since: Timestamp,
    /// Until when; from then on it binds no one.
    pub until: Timestamp,
}

impl Control {
    /// Whether it binds at `now`.
    #[must_use]
    pub fn active(&self, now: Timestamp) -> bool {
        self.since <= now && now < self.until
    }
}

/// A time in which nothing is to be deployed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Freeze {
    /// Name for people.
    pub name: String,
    /// Services it covers; `*` covers all.
    pub services: Vec<String>,
    /// Environments it covers; empty covers all.
    #[serde(default)]
    pub environments: Vec<String>,
    /// First moment.
    pub from: Timestamp,
    /// First moment after it.
    pub until: Timestamp,
}
