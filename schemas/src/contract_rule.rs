//! What a repo says about the rules of the contract check: `contract.rules` of its `.holdpoint.yaml`.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// How bad a change is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ContractLevel {
    /// A client that worked before can fail.
    Error,
    /// It can, if it relies on more than the contract promised.
    Warning,
    /// It can't.
    Info,
}

/// One rule of the contract check, seen otherwise for a while: by whom it concerns, with the reason.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ContractRule {
    /// Id of the rule, as `holdpoint contract rules` lists it.
    pub rule: String,
    /// Paths that it is about: `*` is one segment, `**` any number of them. Without it, all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// HTTP method that it is about. Without it, all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// How bad such a change is here.
    pub level: ContractLevel,
    /// Why, for whoever reads the report.
    pub reason: String,
    /// The last day on which it holds (UTC); afterwards the rule has its own level again.
    pub expires: Date,
}

impl ContractRule {
    /// Whether its last day is over.
    #[must_use]
    pub fn is_expired(&self, at: Timestamp) -> bool {
        at.to_zoned(TimeZone::UTC).date() > self.expires
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_holds_until_the_end_of_its_last_day() {
        let rule = ContractRule {
            rule: "endpoint-added".to_owned(),
            path: None,
            operation: None,
            level: ContractLevel::Info,
            reason: "nobody uses it".to_owned(),
            expires: Date::constant(2026, 3, 17),
        };
        for (at, expired) in [("2026-03-17T23:59:59Z", false), ("2026-03-18T00:00:00Z", true)] {
            assert_eq!(rule.is_expired(at.parse().unwrap()), expired, "{at}");
        }
    }
}
