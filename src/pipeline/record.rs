//! What the ledger keeps: the kinds of its entries and their bodies.

use anyhow::Result;
use holdpoint_ledger::{Entry, Ledger};
use holdpoint_schemas::decision::Permission;
use holdpoint_schemas::evidence::EvidenceRecord;
use holdpoint_schemas::fact::FactSet;
use holdpoint_schemas::{Digest, Timestamp};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

use super::session::Role;

/// The facts that policies could read, once for each schema.
pub const SCHEMA: &str = "schema";
/// The text of a pack's policies, once for each pack.
pub const POLICIES: &str = "policies";
/// A run began or ended.
pub const RUN: &str = "run";
/// A report was read against a commit for the first time.
pub const REPORT: &str = "report";
/// A finding was first seen.
pub const FINDING: &str = "finding";
/// A candidate fix was first seen on a base.
pub const FIX: &str = "fix";
/// A fix was validated.
pub const EVIDENCE: &str = "evidence";
/// A decision was made.
pub const DECISION: &str = "decision";
/// A pull request was opened.
pub const PROPOSAL: &str = "proposal";
/// A merge is about to be done.
pub const MERGE_INTENT: &str = "merge-intent";
/// A merge was done.
pub const MERGE: &str = "merge";
/// A human said go, or no.
pub const APPROVAL: &str = "approval";
/// Which estate the ledger is of.
pub const ESTATE: &str = "estate";
/// A human overrode waiting rules in an emergency.
pub const OVERRIDE: &str = "override";
/// Another human looked at an override.
pub const REVIEW: &str = "review";
/// Nobody approved a fix in time.
pub const TIMED_OUT: &str = "timed-out";
/// Somebody was told that a fix waits.
pub const ESCALATED: &str = "escalated";
/// The log's own signed head, as it was published with a run's report.
pub const CHECKPOINT: &str = "checkpoint";
/// The file of those who may approve, once for each text.
pub const APPROVERS: &str = "approvers";
/// Lanes with the stages that they had, once for each state.
pub const ROLLOUT: &str = "effective-rollout";
/// What withheld levels besides policies and lanes, once for each list.
pub const CAPS: &str = "caps";
/// An approved fix was asked about for the last time before its merge.
pub const PERMISSION: &str = "permission";
/// Findings were gone, or came back.
pub const PRESENCE: &str = "presence";
/// A night of the schedule began or ended.
pub const NIGHT: &str = "night";

/// What became of a fix.
pub const OUTCOME: &str = "outcome";
/// A lane went to another stage, by its evidence or by order of a person.
pub const STAGE: &str = "stage-change";
/// A person holds a lane at its stage, or lets it go.
pub const HOLD: &str = "lane-hold";
/// Automation was halted, or resumed.
pub const HALT: &str = "halt";
/// A fix was let through tonight's budget.
pub const ADMISSION: &str = "admission";

/// A run began or ended.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RunRecord {
    /// `started`, `finished`, or `cut` when its time was over before its work was.
    pub state: String,
    /// Short ids of the findings that it didn't get to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_reached: Vec<String>,
    /// Digest of the policies.
    pub policies: Digest,
    /// Digest of the Cedar schema.
    pub schema: Digest,
}

/// A report and the commit that its line numbers are about.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReportRecord {
    /// Repo.
    pub repo: String,
    /// Branch.
    pub branch: String,
    /// Digest of the report.
    pub report: Digest,
    /// Commit.
    pub commit: String,
}

/// What was found out about a fix, and what it depends on.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EvidenceEntry {
    /// Digest of everything that the evidence depends on: trees, steps, checks, scanners, contracts.
    pub key: Digest,
    /// Fix.
    pub fix: Digest,
    /// Evidence.
    pub record: EvidenceRecord,
}

/// A pull request.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ProposalRecord {
    /// Fix.
    pub fix: Digest,
    /// Decision.
    pub decision: Digest,
    /// Branch that holds the candidate.
    pub branch: String,
    /// Commit on it.
    pub commit: String,
    /// Document, relative to the state folder.
    pub document: String,
}

/// A merge, intended or done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MergeRecord {
    /// Repo.
    pub repo: String,
    /// Branch that moved.
    pub branch: String,
    /// Fix.
    pub fix: Digest,
    /// Decision that permitted it.
    pub decision: Digest,
    /// Commit that the branch was at.
    pub base: String,
    /// Commit that it is at now.
    pub commit: String,
    /// Tree of that commit: the one that was tested, but for a fix of a stack.
    pub tree: String,
    /// `auto-apply`, or who approved.
    pub by: String,
    /// The fixes that were tested, and merged, as one with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stack: Option<Stack>,
}

/// Fixes that were tested, and merged, as one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stack {
    /// Commit that the branch was at.
    pub base: String,
    /// Tree with all of them: the one that was tested.
    pub tree: String,
    /// The fixes, in the order of their commits.
    pub fixes: Vec<Digest>,
}

/// The third action, asked right before a merge that people approved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PermissionRecord {
    /// Fix.
    pub fix: Digest,
    /// The decision that people saw.
    pub decision: Digest,
    /// Policies that were asked.
    pub policies: Digest,
    /// Cedar schema that they were written on.
    pub schema: Digest,
    /// Lanes with the stages that they had.
    pub rollout: Digest,
    /// What withheld levels besides.
    pub caps: Digest,
    /// Facts of that moment, the approval among them.
    pub facts: FactSet,
    /// When.
    pub at: Timestamp,
    /// What they said.
    pub permission: Permission,
}

/// A body as its kind has it.
///
/// # Errors
/// When it has another form.
pub fn parse<T: DeserializeOwned>(kind: &str, body: serde_json::Value) -> Result<T> {
    serde_json::from_value(body)
        .map_err(|error| anyhow::anyhow!("the ledger holds a `{kind}` entry of another form: {error}"))
}

/// Appends to the ledger what it doesn't hold yet.
pub struct Recorder<'a> {
    ledger: &'a mut Ledger,
    at: Timestamp,
    written: &'a mut Written,
    role: Role,
}

/// Which entries the ledger holds: nobody else writes while it is locked.
#[derive(Debug, Default)]
pub struct Written(BTreeSet<Digest>);

impl Written {
    /// Notes an entry that is there.
    ///
    /// # Errors
    /// Never for an entry of a ledger: it had a canonical form when it was written.
    pub fn note(&mut self, entry: &Entry) -> Result<()> {
        self.0.insert(key(&entry.kind, &entry.body)?);
        Ok(())
    }
}

impl<'a> Recorder<'a> {
    /// A recorder at the injected time. Who only assists appends nothing.
    pub fn new(ledger: &'a mut Ledger, written: &'a mut Written, role: Role, at: Timestamp) -> Self {
        Self {
            ledger,
            at,
            written,
            role,
        }
    }

    /// Appends the entries that aren't there yet, in one transaction: a second run at the same time
    /// adds nothing.
    ///
    /// # Errors
    /// When they can't be written.
    pub fn append_new<'b, T: Serialize + 'b>(
        &mut self,
        kind: &str,
        bodies: impl IntoIterator<Item = &'b T>,
    ) -> Result<()> {
        let written = &mut self.written.0;
        let mut new = Vec::new();
        let mut keys = BTreeSet::new();
        for body in bodies {
            let key = key(kind, body)?;
            if !written.contains(&key) && keys.insert(key) {
                new.push((kind, self.at, body));
            }
        }
        if !new.is_empty() && self.role == Role::Runs {
            self.ledger.append_all(new)?;
            written.extend(keys);
        }
        Ok(())
    }

    /// Appends an entry, whatever is there already: for what may truly happen twice.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn append<T: Serialize>(&mut self, kind: &str, body: &T) -> Result<()> {
        if self.role == Role::Runs {
            self.ledger.append(kind, self.at, body)?;
        }
        Ok(())
    }
}

fn key<T: Serialize>(kind: &str, body: &T) -> Result<Digest> {
    Ok(Digest::of_json(&(kind, body))?)
}
