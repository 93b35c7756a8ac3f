//! What a bundle's statement says, worked out of its entries: by whoever makes it, and again by whoever verifies it.

use holdpoint_ledger::bundle::{
    DecisionSummary, Resource, STATEMENT_TYPE, SUMMARY_TYPE, Statement, Summary, SummaryResult, SummaryVerifier,
};
use holdpoint_ledger::note::Checkpoint;
use holdpoint_schemas::decision::{Decision, Phase};
use holdpoint_schemas::fix::Fix;
use holdpoint_schemas::{Digest, Level, Timestamp};
use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::story::{Story, Told};

/// `verifiedLevels` of what was permitted without a human.
const AUTO_APPLY: &str = "HOLDPOINT_AUTO_APPLY";
/// `verifiedLevels` of what was permitted once humans had approved it.
const APPROVED: &str = "HOLDPOINT_APPROVED";
/// `verifiedLevels` of what wasn't permitted (SLSA VSA, `SlsaResult`).
const FAILED: &str = "FAILED";

/// By which way a change was permitted to be merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Without asking.
    AutoApply,
    /// By humans.
    Approved,
    /// Not, or not yet.
    Held,
}

/// By which way the change of a decision was permitted, and when the last word was said.
pub fn way(story: &Story, decision: &Decision) -> (Way, Timestamp) {
    let Some(fix) = &decision.fix else {
        return (Way::Held, decision.at);
    };
    let merged_before = story.merge_of(fix).map_or(u64::MAX, |merge| merge.seq);
    if let Some(permission) = story.permission_of(fix, merged_before)
        && permission.record.permission.permitted
    {
        return (Way::Approved, permission.record.at);
    }
    if decision.level == Level::AutoApply && decision.phase != Phase::Triage {
        return (Way::AutoApply, decision.at);
    }
    (Way::Held, decision.at)
}

/// The statement about a finding; `None` when the entries don't tell of a decision on it. `inputs` are the resources
/// that it rests on, `version` is that of the program that makes it.
pub fn statement(
    story: &Story,
    finding: &str,
    checkpoint: &Checkpoint,
    inputs: Vec<Resource>,
    version: BTreeMap<String, String>,
) -> Option<Statement> {
    let told = story.decision_on(finding)?;
    let decision = &told.record;
    let fix = story.fix_of(told).map(|told| &told.record);
    let merge = fix.and_then(|fix| story.merge_of(&fix.id));
    let proposal = fix.and_then(|fix| story.proposal_of(&fix.id));
    let (way, at) = way(story, decision);
    let outcome = match (merge, proposal) {
        (Some(_), _) => "merged",
        (None, Some(_)) => "proposed",
        (None, None) => "alerted",
    };
    let place = format!("{}@{}", decision.repo, decision.branch);
    Some(Statement {
        statement_type: STATEMENT_TYPE.to_owned(),
        subject: subject(story, told, fix)?,
        predicate_type: SUMMARY_TYPE.to_owned(),
        predicate: Summary {
            verifier: SummaryVerifier {
                id: format!("holdpoint:log/{}", escaped(&checkpoint.origin)),
                version,
            },
            time_verified: at,
            resource_uri: format!("holdpoint:repo/{}", escaped(&place)),
            policy: policy(story, told),
            input_attestations: inputs,
            verification_result: match way {
                Way::Held => SummaryResult::Failed,
                Way::AutoApply | Way::Approved => SummaryResult::Passed,
            },
            verified_levels: vec![
                match way {
                    Way::AutoApply => AUTO_APPLY,
                    Way::Approved => APPROVED,
                    Way::Held => FAILED,
                }
                .to_owned(),
            ],
            decision: DecisionSummary {
                finding: finding.to_owned(),
                decision: decision.id.to_string(),
                level: decision.level.to_string(),
                outcome: outcome.to_owned(),
                ledger: checkpoint.head.to_string(),
            },
        },
    })
}

/// The commit and the tree that the summary is of; without a fix, the finding by its fingerprint.
fn subject(story: &Story, told: &Told<Decision>, fix: Option<&Fix>) -> Option<Vec<Resource>> {
    let git = |name: String, algorithm: &str, id: &str| Resource {
        name: Some(name),
        uri: None,
        digest: BTreeMap::from([(algorithm.to_owned(), id.to_owned())]),
    };
    let Some(fix) = fix else {
        let finding = &story.finding_of(&told.record)?.record;
        return Some(vec![Resource {
            name: Some(format!("finding {}", finding.id())),
            uri: None,
            digest: BTreeMap::from([("holdpointFinding".to_owned(), told.record.finding.to_string())]),
        }]);
    };
    let place = format!("{}@{}", fix.repo, fix.target_branch);
    let commit = match (story.merge_of(&fix.id), story.proposal_of(&fix.id)) {
        (Some(merge), _) => Some(&merge.record.commit),
        (None, Some(proposal)) => Some(&proposal.record.commit),
        (None, None) => None,
    };
    let mut subject: Vec<Resource> = commit
        .map(|commit| git(place.clone(), "gitCommit", commit))
        .into_iter()
        .collect();
    let stack = story.merge_of(&fix.id).and_then(|merge| merge.record.stack.as_ref());
    let tree = stack.map_or(&fix.candidate_tree, |stack| &stack.tree);
    subject.push(git(format!("tree of {place}"), "gitTree", tree));
    Some(subject)
}

/// The policies: their record in the bundle, and the digest by which decisions name them.
fn policy(story: &Story, told: &Told<Decision>) -> Resource {
    let named = &told.record.inputs.policies;
    let record = story.policies_at(named, told.seq).map(|told| &told.record);
    let mut digest = BTreeMap::from([("holdpointPolicies".to_owned(), named.to_string())]);
    if let Some(Ok(record)) = record.map(Digest::of_json) {
        digest.insert("sha256".to_owned(), record.to_string());
    }
    let name = record.map_or("", |record| record.pack.as_str());
    Resource {
        name: None,
        uri: Some(format!("holdpoint:policies/{}", escaped(name))),
        digest,
    }
}

/// A name as it may stand in a URI (RFC 3986, `pchar` and `/`).
fn escaped(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~@/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn a_name_in_a_uri_keeps_what_may_stand_there() {
        assert_eq!(escaped("a/b-c_d@main"), "a/b-c_d@main");
        assert_eq!(escaped("a b#?é"), "a%20b%23%3F%C3%A9");
    }
}
