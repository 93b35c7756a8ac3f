//! What waits for whom, for reports, for notifications and for `holdpoint waiting`.

use anyhow::Result;
use holdpoint_schemas::{Digest, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

use super::approvers;
use super::attend::{Notice, NoticeKind};
use super::desk::{Escalated, TimedOut};
use super::emergency::open_overrides;
use super::promotion::{Standing, standing};
use super::waiting::{Proposed, proposed, waiting};
use crate::pipeline::history::History;
use crate::pipeline::session::Session;

/// What waits for people.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Queue {
    /// Overrides that nobody has looked at.
    pub overrides: Vec<OpenOverride>,
    /// Fixes that wait for a go, longest first.
    pub waiting: Vec<WaitingItem>,
    /// Fixes that timed out and weren't proposed again.
    pub timed_out: Vec<TimedOut>,
}

/// An emergency override that nobody has looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenOverride {
    /// Digest of its statement.
    pub id: Digest,
    /// Findings that its fix resolves, by short id.
    pub findings: Vec<String>,
    /// What the fix does.
    pub title: String,
    /// Repo.
    pub repo: String,
    /// Branch.
    pub branch: String,
    /// Who signed it.
    pub by: String,
    /// What the emergency was.
    pub reason: String,
    /// When.
    pub at: Timestamp,
    /// Until when it holds.
    pub expires: Timestamp,
    /// Whether it can still be used.
    pub holds: bool,
    /// Commit that was merged by it, or without it after it.
    pub merged: Option<String>,
    /// Persons who can't review it: whoever signed it or made the fix.
    #[serde(skip)]
    pub involved: BTreeSet<String>,
}

/// A fix that waits for a go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitingItem {
    /// Fix.
    pub fix: Digest,
    /// Findings that it resolves, by short id.
    pub findings: Vec<String>,
    /// What the fix does.
    pub title: String,
    /// Repo.
    pub repo: String,
    /// Branch.
    pub branch: String,
    /// Since when.
    pub since: Timestamp,
    /// From then on silence is a no.
    pub until: Timestamp,
    /// Who was told, oldest first.
    pub escalated: Vec<Escalated>,
    /// Whose go counts so far.
    pub approved_by: Vec<String>,
    /// What is missing; empty where it wasn't asked for, or where nothing is missing but `promote`.
    pub missing: Vec<String>,
    /// Words that don't count, and why.
    pub refused: Vec<String>,
}

impl Queue {
    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.overrides.is_empty() && self.waiting.is_empty() && self.timed_out.is_empty()
    }

    /// What is new at `at`, the moment of a run: who is told for the first time that something waits, what timed
    /// out; and every override that is open, in each run until somebody has looked at it.
    #[must_use]
    pub fn notices(&self, at: Timestamp) -> Vec<Notice> {
        let overrides = self.overrides.iter().map(|open| Notice {
            kind: NoticeKind::Override,
            to: None,
            findings: open.findings.clone(),
            text: open.line(),
            at: open.at,
        });
        let escalations = self.waiting.iter().flat_map(|item| {
            let new = item.escalated.iter().filter(move |told| told.at == at);
            new.map(|told| Notice {
                kind: NoticeKind::Escalation,
                to: Some(told.step.to.clone()),
                findings: item.findings.clone(),
                text: format!(
                    "`{}` on {}@{} has waited for a go since {}; from {} on silence is a no",
                    item.title, item.repo, item.branch, item.since, item.until
                ),
                at: told.at,
            })
        });
        let new = self.timed_out.iter().filter(|timed_out| timed_out.at == at);
        let time_outs = new.map(|timed_out| Notice {
            kind: NoticeKind::TimeOut,
            to: None,
            findings: timed_out.findings.clone(),
            text: format!(
                "{} timed out: nobody's go was merged between {} and {}, and silence is a no",
                timed_out.findings.join(", "),
                timed_out.since,
                timed_out.deadline
            ),
            at: timed_out.at,
        });
        overrides.chain(escalations).chain(time_outs).collect()
    }
}

impl OpenOverride {
    /// In one line, for people.
    #[must_use]
    pub fn line(&self) -> String {
        let state = match (&self.merged, self.holds) {
            (Some(commit), _) => format!("merged as {commit}"),
            (None, true) => format!("it holds until {}", self.expires),
            (None, false) => "it was not used".to_owned(),
        };
        format!(
            "emergency override of `{}` on {}@{} by {} on {}: {}; {state}, and nobody else has looked at it yet",
            self.title, self.repo, self.branch, self.by, self.at, self.reason
        )
    }
}

impl Session {
    /// What waits for people, from what is on record: for a run's report.
    ///
    /// # Errors
    /// When the ledger can't be read.
    pub fn queue(&mut self) -> Result<Queue> {
        let history = self.history()?;
        self.queue_of(&history)
    }

    fn queue_of(&self, history: &History) -> Result<Queue> {
        let mut queue = Queue::default();
        if !history.desk.overrides.is_empty() {
            queue.overrides = open_overrides(history, &approvers(&self.estate.root, &self.estate.config)?, self.at)?;
        }
        for item in proposed(history) {
            match &item.wait.timed_out {
                Some(timed_out) => queue.timed_out.push(timed_out.clone()),
                None => queue.waiting.push(self.waiting_item(&item)),
            }
        }
        queue.waiting.sort_by(|a, b| (a.since, &a.fix).cmp(&(b.since, &b.fix)));
        Ok(queue)
    }

    fn waiting_item(&self, item: &Proposed<'_>) -> WaitingItem {
        WaitingItem {
            fix: item.fix.id.clone(),
            findings: item.findings.iter().map(|finding| finding.id()).collect(),
            title: item.fix.title.clone(),
            repo: item.fix.repo.clone(),
            branch: item.fix.target_branch.clone(),
            since: item.wait.since,
            until: item.wait.deadline(self.estate.config.approvals.deadline),
            escalated: item.wait.escalated.clone(),
            approved_by: Vec::new(),
            missing: Vec::new(),
            refused: Vec::new(),
        }
    }
}

/// What waits for people, and for each what is missing, asked now.
///
/// # Errors
/// When the ledger or the approvers can't be read.
pub fn list(session: &mut Session) -> Result<Queue> {
    let history = session.history()?;
    let mut queue = session.queue_of(&history)?;
    let now = history.desk.now(session.at);
    for entry in &mut queue.waiting {
        let Some(item) = entry.findings.first().and_then(|id| waiting(&history, id).ok()) else {
            continue;
        };
        let Standing {
            counted, permission, ..
        } = standing(session, &history, &item)?;
        entry.approved_by = counted.names().into_iter().map(str::to_owned).collect();
        entry.refused = counted.refused;
        entry.missing = permission.bounds.into_iter().map(|bound| bound.reason).collect();
        if now >= entry.until {
            entry.missing.push("it is too late: silence was a no".to_owned());
        }
    }
    Ok(queue)
}
