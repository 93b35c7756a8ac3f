//! What the entries of a bundle say, by their kinds.

use holdpoint_ledger::approval::Approvers;
use holdpoint_schemas::approval::SignedApproval;
use holdpoint_schemas::decision::{Decision, Phase};
use holdpoint_schemas::finding::RepoFinding;
use holdpoint_schemas::fix::Fix;
use holdpoint_schemas::{Digest, Timestamp};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::pipeline::inputs::{ApproversRecord, CapsRecord, PoliciesRecord, RolloutRecord, SchemaRecord};
use crate::pipeline::record::{
    APPROVAL, APPROVERS, CAPS, DECISION, EVIDENCE, EvidenceEntry, FINDING, FIX, MERGE, MERGE_INTENT, MergeRecord,
    PERMISSION, POLICIES, PROPOSAL, PermissionRecord, ProposalRecord, ROLLOUT, SCHEMA,
};

/// A record with its place in the log.
#[derive(Debug, Clone)]
pub struct Told<T> {
    /// Place, from 1.
    pub seq: u64,
    /// When it was recorded.
    pub at: Timestamp,
    /// The record.
    pub record: T,
}

/// What entries say, each kind in the order of the log. Kinds that aren't here say nothing that is looked at.
#[derive(Debug, Default)]
pub struct Story {
    /// Most records of one kind that are read; `None`: all of them.
    pub limit: Option<usize>,
    /// Findings.
    pub findings: Vec<Told<RepoFinding>>,
    /// Candidate fixes.
    pub fixes: Vec<Told<Fix>>,
    /// Decisions.
    pub decisions: Vec<Told<Decision>>,
    /// Evidence.
    pub evidence: Vec<Told<EvidenceEntry>>,
    /// Policies.
    pub policies: Vec<Told<PoliciesRecord>>,
    /// Facts that policies could read.
    pub schemas: Vec<Told<SchemaRecord>>,
    /// Lanes.
    pub rollouts: Vec<Told<RolloutRecord>>,
    /// What withheld levels besides policies and lanes.
    pub caps: Vec<Told<CapsRecord>>,
    /// Files of approvers.
    pub approvers: Vec<Told<ApproversRecord>>,
    /// Approvals and refusals.
    pub approvals: Vec<Told<SignedApproval>>,
    /// What the policies said right before merges.
    pub permissions: Vec<Told<PermissionRecord>>,
    /// Pull requests.
    pub proposals: Vec<Told<ProposalRecord>>,
    /// Merges that were to be done.
    pub intents: Vec<Told<MergeRecord>>,
    /// Merges.
    pub merges: Vec<Told<MergeRecord>>,
}

impl Story {
    /// Reads one entry.
    ///
    /// # Errors
    /// When its record doesn't have the form of its kind.
    pub fn read(&mut self, seq: u64, at: Timestamp, kind: &str, body: &Value) -> Result<(), String> {
        let place = Place {
            seq,
            at,
            limit: self.limit,
        };
        match kind {
            FINDING => read(&mut self.findings, place, kind, body),
            FIX => read(&mut self.fixes, place, kind, body),
            DECISION => read(&mut self.decisions, place, kind, body),
            EVIDENCE => read(&mut self.evidence, place, kind, body),
            POLICIES => read(&mut self.policies, place, kind, body),
            SCHEMA => read(&mut self.schemas, place, kind, body),
            ROLLOUT => read(&mut self.rollouts, place, kind, body),
            CAPS => read(&mut self.caps, place, kind, body),
            APPROVERS => read(&mut self.approvers, place, kind, body),
            APPROVAL => read(&mut self.approvals, place, kind, body),
            PERMISSION => read(&mut self.permissions, place, kind, body),
            PROPOSAL => read(&mut self.proposals, place, kind, body),
            MERGE_INTENT => read(&mut self.intents, place, kind, body),
            MERGE => read(&mut self.merges, place, kind, body),
            _ => Ok(()),
        }
    }

    /// What a decision is about.
    pub fn finding_of(&self, decision: &Decision) -> Option<&Told<RepoFinding>> {
        newest(&self.findings, u64::MAX, |finding| {
            finding.repo == decision.repo
                && finding.branch == decision.branch
                && finding.finding.fingerprint == decision.finding
        })
    }

    /// The newest decision on a finding, by its short id.
    pub fn decision_on(&self, finding: &str) -> Option<&Told<Decision>> {
        newest(&self.decisions, u64::MAX, |decision| {
            self.finding_of(decision)
                .is_some_and(|found| found.record.id() == finding)
        })
    }

    /// The fix that a decision is on, as it was on that base.
    pub fn fix_of(&self, decision: &Told<Decision>) -> Option<&Told<Fix>> {
        let Decision { fix, inputs, .. } = &decision.record;
        let id = fix.as_ref()?;
        newest(&self.fixes, decision.seq, |fix| {
            fix.id == *id
                && Some(&fix.base_commit) == inputs.base.as_ref()
                && Some(&fix.candidate_tree) == inputs.tree.as_ref()
        })
    }

    /// The evidence that a decision rests on.
    pub fn evidence_of(&self, decision: &Told<Decision>) -> Option<&Told<EvidenceEntry>> {
        let digest = decision.record.inputs.evidence.as_ref()?;
        newest(&self.evidence, decision.seq, |entry| {
            Digest::of_json(&entry.record.evidence).ok().as_ref() == Some(digest)
        })
    }

    /// The policies of a digest, as they were at a place.
    pub fn policies_at(&self, digest: &Digest, seq: u64) -> Option<&Told<PoliciesRecord>> {
        newest(&self.policies, seq, |record| record.digest == *digest)
    }

    /// The schema of a digest, as it was at a place.
    pub fn schema_at(&self, digest: &Digest, seq: u64) -> Option<&Told<SchemaRecord>> {
        newest(&self.schemas, seq, |record| record.digest == *digest)
    }

    /// The lanes of a digest, as they were at a place.
    pub fn rollout_at(&self, digest: &Digest, seq: u64) -> Option<&Told<RolloutRecord>> {
        newest(&self.rollouts, seq, |record| record.digest == *digest)
    }

    /// The caps of a digest, as they were at a place. An empty list has no record.
    pub fn caps_at(&self, digest: &Digest, seq: u64) -> Option<&Told<CapsRecord>> {
        newest(&self.caps, seq, |record| record.digest == *digest)
    }

    /// Who could approve at a place.
    pub fn approvers_at(&self, seq: u64) -> Option<&Told<ApproversRecord>> {
        newest(&self.approvers, seq, |_| true)
    }

    /// The merge of a fix.
    pub fn merge_of(&self, fix: &Digest) -> Option<&Told<MergeRecord>> {
        newest(&self.merges, u64::MAX, |merge| merge.fix == *fix)
    }

    /// A decision, by its id.
    pub fn decision(&self, id: &Digest) -> Option<&Told<Decision>> {
        newest(&self.decisions, u64::MAX, |decision| decision.id == *id)
    }

    /// The decision at the moment of a fix's merge, recorded before a place.
    pub fn gate_of(&self, fix: &Digest, seq: u64) -> Option<&Told<Decision>> {
        newest(&self.decisions, seq, |decision| {
            decision.fix.as_ref() == Some(fix) && decision.phase == Phase::Merge
        })
    }

    /// What the policies said of a fix right before a place.
    pub fn permission_of(&self, fix: &Digest, seq: u64) -> Option<&Told<PermissionRecord>> {
        newest(&self.permissions, seq, |permission| permission.fix == *fix)
    }

    /// The pull request of a fix on its base.
    pub fn proposal_of(&self, fix: &Digest) -> Option<&Told<ProposalRecord>> {
        newest(&self.proposals, u64::MAX, |proposal| proposal.fix == *fix)
    }
}

/// Reads the people of a file of approvers.
///
/// # Errors
/// When it can't be read.
pub fn people(record: &ApproversRecord) -> Result<Approvers, String> {
    Approvers::parse(&record.file, &record.text).map_err(|errors| {
        let first = errors.first().map(holdpoint_schemas::SourceError::one_line);
        format!("the file of approvers can't be read: {}", first.unwrap_or_default())
    })
}

/// Where an entry is, and how many others of its kind may be before it.
#[derive(Clone, Copy)]
struct Place {
    seq: u64,
    at: Timestamp,
    limit: Option<usize>,
}

fn read<T: DeserializeOwned>(list: &mut Vec<Told<T>>, place: Place, kind: &str, body: &Value) -> Result<(), String> {
    let Place { seq, at, limit } = place;
    if let Some(limit) = limit.filter(|limit| list.len() >= *limit) {
        return Err(format!(
            "entry {seq} ({kind}) was not looked at: there are more than {limit} of that kind"
        ));
    }
    let record = T::deserialize(body).map_err(|error| format!("entry {seq} ({kind}) has another form: {error}"))?;
    list.push(Told { seq, at, record });
    Ok(())
}

/// The newest record before a place that fits.
fn newest<T>(list: &[Told<T>], before: u64, fits: impl Fn(&T) -> bool) -> Option<&Told<T>> {
    list.iter().rev().find(|told| told.seq < before && fits(&told.record))
}
