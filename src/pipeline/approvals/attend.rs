//! What a run does about what waits: silence becomes a no, and who should know hears of it.

use anyhow::Result;
use holdpoint_engine::decide;
use holdpoint_forge::{Forge as _, LocalForge};
use holdpoint_schemas::finding::RepoFinding;
use holdpoint_schemas::fix::Fix;
use holdpoint_schemas::people::EscalationStep;
use holdpoint_schemas::{Digest, Timestamp};
use serde::{Deserialize, Serialize};

use super::desk::{Escalated, TimedOut};
use super::waiting::proposed;
use crate::pipeline::act;
use crate::pipeline::history::History;
use crate::pipeline::record::{ESCALATED, TIMED_OUT};
use crate::pipeline::session::Session;

/// What somebody should hear of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// What happened.
    pub kind: NoticeKind,
    /// Who should hear of it: a team or a person; `None`: everyone who watches.
    pub to: Option<String>,
    /// Findings that it is about, by short id.
    pub findings: Vec<String>,
    /// One line for people.
    pub text: String,
    /// When.
    pub at: Timestamp,
}

impl Notice {
    /// In one line, with who should hear of it.
    #[must_use]
    pub fn line(&self) -> String {
        let kind = match self.kind {
            NoticeKind::Override => "OVERRIDE",
            NoticeKind::Escalation => "escalated",
            NoticeKind::TimeOut => "timed out",
        };
        match &self.to {
            Some(to) => format!("{kind} to {to}: {}", self.text),
            None => format!("{kind}: {}", self.text),
        }
    }
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NoticeKind {
    /// An emergency override was signed, and nobody has looked at it yet.
    Override,
    /// A fix waits for too long.
    Escalation,
    /// Nobody approved a fix in time.
    TimeOut,
}

impl Session {
    /// Declines what timed out, withdraws its pull request, and records who is to hear of what still waits. Each is
    /// done once; what a killed run left undone, the next one does.
    ///
    /// # Errors
    /// When the ledger or a remote can't be written.
    pub fn attend(&mut self) -> Result<()> {
        // What was merged and not yet recorded as that doesn't wait.
        act::settle_intents(self)?;
        let history = self.history()?;
        let config = &self.estate.config.approvals;
        let now = history.desk.now(self.at);
        let (mut late, mut told, mut left) = (Vec::new(), Vec::new(), Vec::new());
        for item in proposed(&history) {
            let deadline = item.wait.deadline(config.deadline);
            let findings = || item.findings.iter().map(|finding| finding.id()).collect::<Vec<_>>();
            if let Some(timed_out) = &item.wait.timed_out {
                left.push((item.fix.clone(), timed_out.clone()));
            } else if now >= deadline {
                let asked = item
                    .findings
                    .iter()
                    .map(|finding| question(self, &history, finding, item.fix));
                let asked = asked.collect::<Result<_>>()?;
                late.push((
                    item.fix.clone(),
                    TimedOut {
                        fix: item.fix.id.clone(),
                        findings: findings(),
                        since: item.wait.since,
                        deadline,
                        questions: asked,
                        at: self.at,
                    },
                ));
            } else if !history.desk.was_declined(&item.fix.id) {
                let is_due = |step: &&EscalationStep| step.after.after(item.wait.since) <= now;
                let is_new = |step: &&EscalationStep| !item.wait.escalated.iter().any(|known| known.step == **step);
                told.extend(
                    config
                        .escalate
                        .iter()
                        .filter(is_due)
                        .filter(is_new)
                        .map(|step| Escalated {
                            fix: item.fix.id.clone(),
                            findings: findings(),
                            since: item.wait.since,
                            step: step.clone(),
                            at: self.at,
                        }),
                );
            }
        }
        for step in &told {
            self.ledger.append(ESCALATED, self.at, step)?;
        }
        for (_, timed_out) in &late {
            self.ledger.append(TIMED_OUT, self.at, timed_out)?;
        }
        for (fix, timed_out) in late.into_iter().chain(left) {
            self.withdraw(&fix, &timed_out)?;
        }
        Ok(())
    }

    /// Closes the pull request of a fix that timed out, if it is still open. A remote that can't be reached is asked
    /// again by the next run: what counts is on record.
    fn withdraw(&self, fix: &Fix, timed_out: &TimedOut) -> Result<()> {
        let branch = act::branch_name(fix);
        let is_open = self
            .mirrors
            .get(&fix.repo)
            .is_some_and(|mirror| mirror.head(&branch).is_some());
        if !is_open {
            return Ok(());
        }
        let forge: LocalForge = act::forge(self, &fix.repo)?;
        let why = format!(
            "timed out: it waited from {} to {} and nobody's go was merged; silence is a no",
            timed_out.since, timed_out.deadline
        );
        if let Err(error) = forge.close(&branch, &why) {
            tracing::warn!(%branch, %error, "a pull request that timed out is still open");
        }
        Ok(())
    }
}

/// Why a fix that timed out isn't proposed again yet. It is once people would be asked something else, or the pause
/// is over.
///
/// # Errors
/// When the facts can't be written as JSON.
pub fn not_again(session: &Session, history: &History, finding: &RepoFinding, fix: &Fix) -> Result<Option<String>> {
    let Some(timed_out) = history.desk.waits.get(&fix.id).and_then(|wait| wait.timed_out.as_ref()) else {
        return Ok(None);
    };
    let again = session.estate.config.approvals.pause.after(timed_out.at);
    let rested = history.desk.now(session.at) >= again;
    if rested || !timed_out.questions.contains(&question(session, history, finding, fix)?) {
        return Ok(None);
    }
    Ok(Some(format!(
        "it timed out at {}, and silence is a no; it is proposed again at {again}, or once it, the policies or the facts change",
        timed_out.deadline
    )))
}

/// What people are asked: the change, the policies, and the values of the facts that they read. Not the base, which
/// moves every day.
fn question(session: &Session, history: &History, finding: &RepoFinding, fix: &Fix) -> Result<Digest> {
    let (facts, _) = session.facts(history, finding, Some(fix));
    let pack = &session.estate.pack;
    Ok(Digest::of_json(&(
        &fix.diff,
        pack.digest(),
        pack.schema_digest(),
        decide::binding_facts_digest(pack, &facts)?,
    ))?)
}
