//! What a run reads back of the ledger.

use anyhow::Result;
use holdpoint_ledger::{Entry, Ledger};
use holdpoint_schemas::Digest;
use holdpoint_schemas::approval::{ApprovalStatement, SignedApproval, Verb};
use holdpoint_schemas::decision::Decision;
use holdpoint_schemas::evidence::EvidenceRecord;
use holdpoint_schemas::finding::{RepoFinding, finding_id};
use holdpoint_schemas::fix::Fix;
use holdpoint_schemas::outcome::{OutcomeKind, OutcomeRecord};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::approvals::desk::Desk;
use super::night::{NightRecord, Nights};
use super::record::{
    APPROVAL, DECISION, EVIDENCE, EvidenceEntry, FINDING, FIX, MERGE, MERGE_INTENT, MergeRecord, NIGHT, OUTCOME,
    PRESENCE, PROPOSAL, ProposalRecord, REPORT, ReportRecord, Written, parse,
};
use super::rollout::log::RolloutLog;
use super::time::{PresenceRecord, Timeline};

/// Everything of the ledger that a run reads back.
#[derive(Debug, Clone, Default)]
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
    /// Up to which place of the ledger this is all.
    read_to: u64,
}

impl History {
    /// Reads the ledger.
    ///
    /// # Errors
    /// When an entry doesn't have the form of its kind: the ledger isn't ours, or was changed.
    pub fn read(ledger: &Ledger) -> Result<Self> {
        let mut history = Self::default();
        history.read_on(ledger, |_| Ok(()))?;
        Ok(history)
    }

    /// Reads what was appended since it was last read, and shows each entry of that to `also`.
    ///
    /// # Errors
    /// As [`History::read`], and those of `also`.
    pub fn read_on(&mut self, ledger: &Ledger, mut also: impl FnMut(&Entry) -> Result<()>) -> Result<()> {
        while let Some((entries, read_to)) = ledger.page_after(self.read_to)? {
            for entry in entries {
                let seq = entry.seq;
                also(&entry)?;
                self.see(entry)?;
                self.read_to = seq;
            }
            self.read_to = read_to;
        }
        Ok(())
    }

    /// Takes up one entry.
    fn see(&mut self, entry: Entry) -> Result<()> {
        self.desk.see(&entry)?;
        self.rollout.read(&entry)?;
        let Entry { kind, body, at, .. } = entry;
        match kind.as_str() {
            REPORT => {
                let record: ReportRecord = parse(&kind, body)?;
                self.reports
                    .insert((record.repo, record.branch, record.report), record.commit);
            }
            FINDING => {
                let finding: RepoFinding = parse(&kind, body)?;
                self.times.seen(finding.id(), at);
                self.findings.insert(finding.id(), finding);
            }
            FIX => {
                let fix: Fix = parse(&kind, body)?;
                self.fixes.insert(fix.id.clone(), fix);
            }
            EVIDENCE => {
                let record: EvidenceEntry = parse(&kind, body)?;
                if let Some(fix) = self.fixes.get(&record.fix) {
                    let names = record.record.evidence.flaky_tests.iter().map(|test| test.name.clone());
                    let known = self.flaky.entry(fix.repo.clone()).or_default();
                    known.extend(names);
                    let millis = record.record.steps.iter().map(|step| step.millis).sum();
                    self.durations.insert(fix.repo.clone(), millis);
                }
                self.validated.insert(record.fix);
                self.evidence.insert(record.key, record.record);
            }
            DECISION => {
                let decision: Decision = parse(&kind, body)?;
                self.decision_ids.insert(decision.id.clone());
                if let Some(id) = self.known_finding(&decision) {
                    self.times.decided(&id, &decision, at);
                    self.decisions.insert(id, decision);
                }
            }
            PROPOSAL => {
                let record: ProposalRecord = parse(&kind, body)?;
                self.proposals.insert(record.fix.clone(), record);
            }
            MERGE_INTENT => {
                let record: MergeRecord = parse(&kind, body)?;
                self.open_intents.entry(record.fix.clone()).or_default().push(record);
            }
            MERGE => {
                let record: MergeRecord = parse(&kind, body)?;
                self.open_intents.remove(&record.fix);
                for id in self.resolved_by(&record.fix) {
                    self.times.merged(&id, at);
                }
                self.merges.insert(record.fix.clone(), record);
            }
            APPROVAL => {
                let approval: SignedApproval = parse(&kind, body)?;
                self.approvals
                    .entry(approval.statement.fix.clone())
                    .or_default()
                    .push(approval);
            }
            PRESENCE => {
                let record: PresenceRecord = parse(&kind, body)?;
                self.times.presence(&record, at);
            }
            // What was reverted is open again.
            OUTCOME => {
                let record: OutcomeRecord = parse(&kind, body)?;
                if record.kind == OutcomeKind::Reverted {
                    for id in self.resolved_by(&record.fix) {
                        self.times.reverted(&id, at);
                    }
                }
            }
            NIGHT => {
                let record: NightRecord = parse(&kind, body)?;
                self.nights.record(record);
            }
            _ => {}
        }
        Ok(())
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

/// What a process knows of the ledger that it writes: read once, and read on when it has grown.
#[derive(Debug, Default)]
pub struct Memory {
    history: Arc<History>,
    /// Which entries are there.
    pub written: Written,
}

impl Memory {
    /// All that the ledger holds by now. Who kept an earlier answer keeps it as it was.
    ///
    /// # Errors
    /// As [`History::read`].
    pub fn up_to_date(&mut self, ledger: &Ledger) -> Result<Arc<History>> {
        let written = &mut self.written;
        Arc::make_mut(&mut self.history).read_on(ledger, |entry| written.note(entry))?;
        Ok(Arc::clone(&self.history))
    }
}
