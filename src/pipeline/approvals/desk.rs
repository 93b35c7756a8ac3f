//! What the ledger holds of what waits for people: what they said, since when it waits, who was told, what timed out.

use anyhow::Result;
use holdpoint_ledger::Entry;
use holdpoint_schemas::approval::{SignedApproval, SignedOverride, SignedReview, Verb};
use holdpoint_schemas::length::Length;
use holdpoint_schemas::people::EscalationStep;
use holdpoint_schemas::{Digest, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use crate::pipeline::record::{
    APPROVAL, ESCALATED, ESTATE, OVERRIDE, PROPOSAL, ProposalRecord, REVIEW, TIMED_OUT, parse,
};

/// Which estate a ledger is of. The first one on record counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EstateRecord {
    /// Drawn by chance when somebody first signs something.
    pub id: String,
}

/// A fix that nobody approved in time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimedOut {
    /// Fix.
    pub fix: Digest,
    /// Findings that it resolves, by short id.
    pub findings: Vec<String>,
    /// Since when it waited.
    pub since: Timestamp,
    /// Until when somebody could have approved it.
    pub deadline: Timestamp,
    /// What people were asked, for each finding: proposed again as soon as they would be asked something else.
    pub questions: Vec<Digest>,
    /// When the time-out was noticed.
    pub at: Timestamp,
}

/// Somebody was told that a fix waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Escalated {
    /// Fix.
    pub fix: Digest,
    /// Findings that it resolves, by short id.
    pub findings: Vec<String>,
    /// Since when it waits.
    pub since: Timestamp,
    /// The step, as the estate's config has it.
    pub step: EscalationStep,
    /// When.
    pub at: Timestamp,
}

/// Something signed, and when the ledger took it.
#[derive(Debug, Clone)]
pub struct OnRecord<T> {
    /// What was signed.
    pub signed: T,
    /// Place in the ledger.
    pub seq: u64,
    /// When it was recorded.
    pub recorded: Timestamp,
}

/// How a fix waits.
#[derive(Debug, Clone)]
pub struct Wait {
    /// Since when: from when it was first proposed, or proposed again after a time-out. A new base doesn't begin it
    /// anew: people weren't asked anything else.
    pub since: Timestamp,
    /// What was said before this place is about an earlier wait.
    pub from: u64,
    /// How it ended, if nobody approved it in time.
    pub timed_out: Option<TimedOut>,
    /// Who was told.
    pub escalated: Vec<Escalated>,
}

impl Wait {
    /// Until when somebody may approve.
    pub fn deadline(&self, deadline: Length) -> Timestamp {
        deadline.after(self.since)
    }
}

/// What the ledger holds of what waits for people.
#[derive(Debug, Clone, Default)]
pub struct Desk {
    /// The estate's id, once somebody signed something.
    pub estate: Option<String>,
    /// Goes and noes by fix, oldest first.
    pub said: BTreeMap<Digest, Vec<OnRecord<SignedApproval>>>,
    /// Emergency overrides by fix, oldest first.
    pub overrides: BTreeMap<Digest, Vec<OnRecord<SignedOverride>>>,
    /// Reviews of overrides, oldest first.
    pub reviews: Vec<OnRecord<SignedReview>>,
    /// Waits by fix, the newest of each.
    pub waits: BTreeMap<Digest, Wait>,
    /// The latest moment of any entry: no clock that stands before it is believed.
    pub latest: Option<Timestamp>,
}

impl Desk {
    /// Takes note of an entry.
    ///
    /// # Errors
    /// When it doesn't have the form of its kind.
    pub fn see(&mut self, entry: &Entry) -> Result<()> {
        self.latest = self.latest.max(Some(entry.at));
        let body = || entry.body.clone();
        match entry.kind.as_str() {
            ESTATE => {
                let record: EstateRecord = parse(&entry.kind, body())?;
                self.estate.get_or_insert(record.id);
            }
            PROPOSAL => {
                let record: ProposalRecord = parse(&entry.kind, body())?;
                let new = Wait {
                    since: entry.at,
                    from: entry.seq,
                    timed_out: None,
                    escalated: Vec::new(),
                };
                let wait = self.waits.entry(record.fix).or_insert_with(|| new.clone());
                if wait.timed_out.is_some() {
                    *wait = new;
                }
            }
            TIMED_OUT => {
                let record: TimedOut = parse(&entry.kind, body())?;
                if let Some(wait) = self.waits.get_mut(&record.fix) {
                    wait.timed_out = Some(record);
                }
            }
            ESCALATED => {
                let record: Escalated = parse(&entry.kind, body())?;
                if let Some(wait) = self.waits.get_mut(&record.fix) {
                    wait.escalated.push(record);
                }
            }
            APPROVAL => {
                let signed: SignedApproval = parse(&entry.kind, body())?;
                let fix = signed.statement.fix.clone();
                self.said.entry(fix).or_default().push(on_record(entry, signed));
            }
            OVERRIDE => {
                let signed: SignedOverride = parse(&entry.kind, body())?;
                let fix = signed.statement.fix.clone();
                self.overrides.entry(fix).or_default().push(on_record(entry, signed));
            }
            REVIEW => {
                let signed: SignedReview = parse(&entry.kind, body())?;
                self.reviews.push(on_record(entry, signed));
            }
            _ => {}
        }
        Ok(())
    }

    /// Whether the last word about a fix was a no: nobody is asked again for it.
    pub fn was_declined(&self, fix: &Digest) -> bool {
        let last = self.said.get(fix).and_then(|said| said.last());
        last.is_some_and(|said| said.signed.statement.verb == Verb::Decline)
    }

    /// The moment that is believed: a clock that was turned back revives nothing that has expired.
    pub fn now(&self, clock: Timestamp) -> Timestamp {
        self.latest.map_or(clock, |latest| latest.max(clock))
    }
}

fn on_record<T>(entry: &Entry, signed: T) -> OnRecord<T> {
    OnRecord {
        signed,
        seq: entry.seq,
        recorded: entry.at,
    }
}
