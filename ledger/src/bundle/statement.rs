//! in-toto statements with SLSA verification summaries.

use holdpoint_schemas::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Type of a statement (in-toto Attestation Framework v1).
pub const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";

/// Type of a verification summary (SLSA, "Verification Summary Attestation", v1).
pub const SUMMARY_TYPE: &str = "https://slsa.dev/verification_summary/v1";

/// What is claimed of which artefact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Statement {
    /// [`STATEMENT_TYPE`].
    #[serde(rename = "_type")]
    pub statement_type: String,
    /// The artefacts.
    pub subject: Vec<Resource>,
    /// [`SUMMARY_TYPE`].
    pub predicate_type: String,
    /// The claim.
    pub predicate: Summary,
}

/// Something, by digest (in-toto's `ResourceDescriptor`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resource {
    /// Name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Where it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
    /// Digests by algorithm: `sha256`, `gitCommit`, `gitTree`, in hexadecimal digits.
    pub digest: BTreeMap<String, String>,
}

impl Resource {
    /// Something at a place, by the SHA-256 digest of its bytes.
    #[must_use]
    pub fn sha256(uri: impl Into<String>, digest: &str) -> Self {
        Self {
            name: None,
            uri: Some(uri.into()),
            digest: BTreeMap::from([("sha256".to_owned(), digest.to_owned())]),
        }
    }
}

/// A verification summary: that a policy was asked about a change, and what it said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// Who verified.
    pub verifier: SummaryVerifier,
    /// When, by the verifier's clock.
    pub time_verified: Timestamp,
    /// What was verified, as its users call it.
    pub resource_uri: String,
    /// The policies.
    pub policy: Resource,
    /// All that the summary rests on: each entry of the log that is in the bundle, and the checkpoint.
    pub input_attestations: Vec<Resource>,
    /// Whether the change was permitted to be merged.
    pub verification_result: SummaryResult,
    /// By which way: `HOLDPOINT_AUTO_APPLY` or `HOLDPOINT_APPROVED`; `FAILED` where it wasn't permitted.
    pub verified_levels: Vec<String>,
    /// What else is on record, in Holdpoint's own words; readers of summaries pass over it.
    #[serde(rename = "holdpoint:decision/v1")]
    pub decision: DecisionSummary,
}

/// Who verified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SummaryVerifier {
    /// The log's name, as a URI.
    pub id: String,
    /// Versions by program.
    #[serde(default)]
    pub version: BTreeMap<String, String>,
}

/// Whether a change was permitted to be merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum SummaryResult {
    /// It was.
    Passed,
    /// It wasn't, or not yet.
    Failed,
}

/// The decision behind a summary.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DecisionSummary {
    /// Short id of the finding.
    pub finding: String,
    /// Id of the decision.
    pub decision: String,
    /// Its level.
    pub level: String,
    /// What was done, one word: `merged`, `proposed`, `alerted`.
    pub outcome: String,
    /// The log's head: `<entries>:<root>`.
    pub ledger: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_has_the_field_names_of_its_specifications() {
        let statement = Statement {
            statement_type: STATEMENT_TYPE.to_owned(),
            subject: vec![Resource {
                name: Some("payments@main".to_owned()),
                uri: None,
                digest: BTreeMap::from([("gitCommit".to_owned(), "a".repeat(40))]),
            }],
            predicate_type: SUMMARY_TYPE.to_owned(),
            predicate: Summary {
                verifier: SummaryVerifier {
                    id: "holdpoint:log/a".to_owned(),
                    version: BTreeMap::new(),
                },
                time_verified: Timestamp::UNIX_EPOCH,
                resource_uri: "git:payments".to_owned(),
                policy: Resource::sha256("holdpoint:policies/baseline", &"b".repeat(64)),
                input_attestations: Vec::new(),
                verification_result: SummaryResult::Passed,
                verified_levels: vec!["HOLDPOINT_AUTO_APPLY".to_owned()],
                decision: DecisionSummary {
                    finding: String::new(),
                    decision: String::new(),
                    level: String::new(),
                    outcome: String::new(),
                    ledger: String::new(),
                },
            },
        };
        let json = serde_json::to_value(&statement).unwrap();
        // Whether a map keeps its order is a feature that other crates turn on.
        let names = |value: &serde_json::Value| {
            let mut names: Vec<String> = value.as_object().unwrap().keys().cloned().collect();
            names.sort();
            names
        };
        assert_eq!(names(&json), ["_type", "predicate", "predicateType", "subject"]);
        assert_eq!(
            names(&json["predicate"]),
            [
                "holdpoint:decision/v1",
                "inputAttestations",
                "policy",
                "resourceUri",
                "timeVerified",
                "verificationResult",
                "verifiedLevels",
                "verifier"
            ]
        );
        assert_eq!(json["predicate"]["verificationResult"], "PASSED");
        assert_eq!(json["predicate"]["timeVerified"], "1970-01-01T00:00:00Z");
        assert_eq!(serde_json::from_value::<Statement>(json).unwrap(), statement);
    }
}
