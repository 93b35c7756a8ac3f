//! Which entries of the ledger belong to a finding's story.

use holdpoint_ledger::Entry;
use holdpoint_schemas::Digest;
use holdpoint_schemas::decision::Decision;
use std::collections::BTreeSet;

use super::story::{Story, Told};
use crate::pipeline::record::{DECISION, EVIDENCE, FIX};

/// Where the records of other kinds name the fix that they are about.
const ABOUT_FIX: [&str; 3] = ["/fix", "/statement/fix", "/outcome/fix"];

/// Places of the entries of a finding's story: its newest decision and those behind the merge of its fix, all that they
/// rest on, and everything else that names the fix.
pub fn entries(story: &Story, entries: &[Entry], finding: &str) -> BTreeSet<u64> {
    let mut places = BTreeSet::new();
    let Some(decision) = story.decision_on(finding) else {
        return places;
    };
    let mut decisions = vec![decision];
    if let Some(fix) = &decision.record.fix {
        if let Some(merge) = story.merge_of(fix) {
            decisions.extend(story.decision(&merge.record.decision));
            decisions.extend(story.gate_of(fix, merge.seq));
        }
        if let Some(permission) = story.permission_of(fix, u64::MAX) {
            decisions.extend(story.decision(&permission.record.decision));
            let policies = story.policies_at(&permission.record.policies, permission.seq);
            let schema = story.schema_at(&permission.record.schema, permission.seq);
            let rollout = story.rollout_at(&permission.record.rollout, permission.seq);
            let caps = story.caps_at(&permission.record.caps, permission.seq);
            places.extend(caps.map(|told| told.seq));
            places.extend(policies.map(|told| told.seq));
            places.extend(schema.map(|told| told.seq));
            places.extend(rollout.map(|told| told.seq));
        }
        places.extend(naming(entries, fix));
        places.extend(approvers(story, fix));
    }
    for decision in decisions {
        places.extend(behind(story, decision));
    }
    places
}

/// What a decision rests on.
fn behind(story: &Story, decision: &Told<Decision>) -> Vec<u64> {
    let inputs = &decision.record.inputs;
    [
        Some(decision.seq),
        story.finding_of(&decision.record).map(|told| told.seq),
        story.fix_of(decision).map(|told| told.seq),
        story.evidence_of(decision).map(|told| told.seq),
        story.policies_at(&inputs.policies, decision.seq).map(|told| told.seq),
        story.schema_at(&inputs.schema, decision.seq).map(|told| told.seq),
        story.rollout_at(&inputs.rollout, decision.seq).map(|told| told.seq),
        story.caps_at(&inputs.caps, decision.seq).map(|told| told.seq),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Every other record about a fix: approvals, pull requests, merges, outcomes.
fn naming(entries: &[Entry], fix: &Digest) -> Vec<u64> {
    let names = |entry: &&Entry| {
        let named = ABOUT_FIX.iter().filter_map(|place| entry.body.pointer(place)?.as_str());
        // Of these kinds a fix has many, and the decisions say which ones count.
        ![DECISION, EVIDENCE, FIX].contains(&entry.kind.as_str()) && named.into_iter().any(|name| name == fix.as_str())
    };
    entries.iter().filter(names).map(|entry| entry.seq).collect()
}

/// Who could approve when somebody did, and when it was merged.
fn approvers(story: &Story, fix: &Digest) -> Vec<u64> {
    let approvals = story.approvals.iter().filter(|told| told.record.statement.fix == *fix);
    let moments = approvals.map(|told| told.seq);
    let merge = story.merge_of(fix).map(|told| told.seq);
    moments
        .chain(merge)
        .filter_map(|seq| story.approvers_at(seq).map(|told| told.seq))
        .collect()
}
