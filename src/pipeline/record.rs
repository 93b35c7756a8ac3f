//! What the ledger keeps: the kinds of its entries and their bodies.

use anyhow::Result;
use holdpoint_ledger::Ledger;
use holdpoint_schemas::approval::{ApprovalStatement, SignedApproval, Verb};
use holdpoint_schemas::decision::{Decision, Permission};
use holdpoint_schemas::evidence::EvidenceRecord;
use holdpoint_schemas::fact::FactSet;
use holdpoint_schemas::finding::{RepoFinding, finding_id};
use holdpoint_schemas::fix::Fix;
use holdpoint_schemas::outcome::{OutcomeKind, OutcomeRecord};
use holdpoint_schemas::{Digest, Timestamp};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

use super::approvals::desk::Desk;
use super::night::{NightRecord, Nights};
use super::rollout::log::RolloutLog;
use super::time::{PresenceRecord, Timeline};

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

/// Everything of the ledger that a run reads back.
#[derive(Debug, Default)]
pub struct History {
    /// Commits that reports were read against, by (repo, branch, report).
    pub reports: BTreeMap<(String, String, Digest), String>,
    /// Evidence by key.
    pub evidence: BTreeMap<Digest, EvidenceRecord>,
    /// Tests that were seen to be flaky, by repo.
    pub flaky: BTreeMap<String, BTreeSet<String>>,
    /// Newest fix by id.
    pub fixes: BTreeMap<Digest, Fix>,
    /// Findings by short id.
    pub findings: BTreeMap<String, RepoFinding>,
    /// Newest decision by finding (short id).
    pub decisions: BTreeMap<String, Decision>,
    /// Every decision by its own id.
    pub decision_ids: BTreeSet<Digest>,
    /// Proposals by fix, newest last.
    pub proposals: BTreeMap<Digest, ProposalRecord>,
    /// Merges by fix.
    pub merges: BTreeMap<Digest, MergeRecord>,
    /// Merges that were begun and have no outcome, by fix, oldest first: a push may outlive the run that began it.
    pub open_intents: BTreeMap<Digest, Vec<MergeRecord>>,
    /// Approvals by fix, oldest first.
    pub approvals: BTreeMap<Digest, Vec<SignedApproval>>,
    /// What waits for people, and what they said.
    pub desk: Desk,
    /// Findings over time.
    pub times: Timeline,
    /// Nights that were begun.
    pub nights: Nights,
    /// Outcomes, stages of lanes, halts and admissions.
    pub rollout: RolloutLog,
    /// Fixes that were validated.
    pub validated: BTreeSet<Digest>,
    /// How long the newest validation of each repo took in the sandbox, in milliseconds.
    pub durations: BTreeMap<String, u64>,
}

impl History {
    /// Reads the ledger.
    ///
    /// # Errors
    /// When an entry doesn't have the form of its kind: the ledger isn't ours, or was changed.
    pub fn read(ledger: &Ledger) -> Result<Self> {
        let mut history = Self::default();
        for entry in ledger.entries(None)? {
            history.desk.see(&entry)?;
            history.rollout.read(&entry)?;
            let body = entry.body;
            match entry.kind.as_str() {
                REPORT => {
                    let record: ReportRecord = parse(&entry.kind, body)?;
                    history
                        .reports
                        .insert((record.repo, record.branch, record.report), record.commit);
                }
                FINDING => {
                    let finding: RepoFinding = parse(&entry.kind, body)?;
                    history.times.seen(finding.id(), entry.at);
                    history.findings.insert(finding.id(), finding);
                }
                FIX => {
                    let fix: Fix = parse(&entry.kind, body)?;
                    history.fixes.insert(fix.id.clone(), fix);
                }
                EVIDENCE => {
                    let record: EvidenceEntry = parse(&entry.kind, body)?;
                    if let Some(fix) = history.fixes.get(&record.fix) {
                        let names = record.record.evidence.flaky_tests.iter().map(|test| test.name.clone());
                        let known = history.flaky.entry(fix.repo.clone()).or_default();
                        known.extend(names);
                        let millis = record.record.steps.iter().map(|step| step.millis).sum();
                        history.durations.insert(fix.repo.clone(), millis);
                    }
                    history.validated.insert(record.fix);
                    history.evidence.insert(record.key, record.record);
                }
                DECISION => {
                    let decision: Decision = parse(&entry.kind, body)?;
                    history.decision_ids.insert(decision.id.clone());
                    if let Some(id) = history.known_finding(&decision) {
                        history.times.decided(&id, &decision, entry.at);
                        history.decisions.insert(id, decision);
                    }
                }
                PROPOSAL => {
                    let record: ProposalRecord = parse(&entry.kind, body)?;
                    history.proposals.insert(record.fix.clone(), record);
                }
                MERGE_INTENT => {
                    let record: MergeRecord = parse(&entry.kind, body)?;
                    let begun = history.open_intents.entry(record.fix.clone()).or_default();
                    begun.push(record);
                }
                MERGE => {
                    let record: MergeRecord = parse(&entry.kind, body)?;
                    history.open_intents.remove(&record.fix);
                    for id in history.resolved_by(&record.fix) {
                        history.times.merged(&id, entry.at);
                    }
                    history.merges.insert(record.fix.clone(), record);
                }
                APPROVAL => {
                    let approval: SignedApproval = parse(&entry.kind, body)?;
                    history
                        .approvals
                        .entry(approval.statement.fix.clone())
                        .or_default()
                        .push(approval);
                }
                PRESENCE => {
                    let record: PresenceRecord = parse(&entry.kind, body)?;
                    history.times.presence(&record, entry.at);
                }
                // What was reverted is open again.
                OUTCOME => {
                    let record: OutcomeRecord = parse(&entry.kind, body)?;
                    if record.kind == OutcomeKind::Reverted {
                        for id in history.resolved_by(&record.fix) {
                            history.times.reverted(&id, entry.at);
                        }
                    }
                }
                NIGHT => {
                    let record: NightRecord = parse(&entry.kind, body)?;
                    history.nights.record(record);
                }
                _ => {}
            }
        }
        Ok(history)
    }

    fn known_finding(&self, decision: &Decision) -> Option<String> {
        let id = finding_id(&decision.repo, &decision.branch, &decision.finding);
        self.findings.contains_key(&id).then_some(id)
    }

    /// Short ids of what a recorded fix resolves.
    pub fn resolved_by(&self, fix: &Digest) -> Vec<String> {
        let Some(fix) = self.fixes.get(fix) else {
            return Vec::new();
        };
        let id = |fingerprint| finding_id(&fix.repo, &fix.target_branch, fingerprint);
        fix.resolves.iter().map(id).collect()
    }

    /// The last no that people said about a change: also about the same change in another folder or by another
    /// remediator. A go after it takes the no back for `promote`, which verifies it; what was declined once is never
    /// merged without a person again.
    pub fn declined(&self, fix: &Fix) -> Option<&ApprovalStatement> {
        let is_same = |said: &&ApprovalStatement| {
            said.fix == fix.id
                || (said.binding.diff == fix.diff
                    && said.binding.repo == fix.repo
                    && said.binding.target_branch == fix.target_branch)
        };
        let said = self.approvals.values().flatten().map(|approval| &approval.statement);
        said.filter(|said| said.verb == Verb::Decline)
            .filter(is_same)
            .max_by_key(|said| said.at)
    }

    /// Whether a commit is one of Holdpoint's own merges: by the ledger, not by a trailer that
    /// anyone can write.
    pub fn is_own_merge(&self, commit: &str) -> bool {
        self.merges.values().any(|merge| merge.commit == commit)
    }
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
}

/// Which entries the ledger holds, read once per process: nobody else writes while it is locked.
#[derive(Debug, Default)]
pub struct Written(Option<BTreeSet<Digest>>);

impl<'a> Recorder<'a> {
    /// A recorder at the injected time.
    ///
    /// # Errors
    /// When the ledger can't be read.
    pub fn new(ledger: &'a mut Ledger, written: &'a mut Written, at: Timestamp) -> Result<Self> {
        if written.0.is_none() {
            let entries = ledger.entries(None)?;
            written.0 = Some(
                entries
                    .iter()
                    .map(|entry| key(&entry.kind, &entry.body))
                    .collect::<Result<_>>()?,
            );
        }
        Ok(Self { ledger, at, written })
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
        let written = self.written.0.get_or_insert_default();
        let mut new = Vec::new();
        let mut keys = BTreeSet::new();
        for body in bodies {
            let key = key(kind, body)?;
            if !written.contains(&key) && keys.insert(key) {
                new.push((kind, self.at, body));
            }
        }
        if !new.is_empty() {
            self.ledger.append_all(new)?;
            written.extend(keys);
        }
        Ok(())
    }
}

impl Recorder<'_> {
    /// Appends an entry, whatever is there already: for what may truly happen twice.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn append<T: Serialize>(&mut self, kind: &str, body: &T) -> Result<()> {
        self.ledger.append(kind, self.at, body)?;
        Ok(())
    }
}

fn key<T: Serialize>(kind: &str, body: &T) -> Result<Digest> {
    Ok(Digest::of_json(&(kind, body))?)
}
