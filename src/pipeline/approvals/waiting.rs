//! Items that wait for a person.

use anyhow::Result;
use holdpoint_schemas::decision::Decision;
use holdpoint_schemas::evidence::EvidenceRecord;
use holdpoint_schemas::finding::RepoFinding;
use holdpoint_schemas::fix::Fix;
use holdpoint_schemas::{Digest, Level, Timestamp};
use std::collections::BTreeMap;

use super::desk::Wait;
use crate::failure::BadInput;
use crate::pipeline::history::History;
use crate::pipeline::session::Session;

/// A suggested item: what waits for a human.
pub struct Waiting {
    /// Finding.
    pub finding: RepoFinding,
    /// Fix.
    pub fix: Fix,
    /// The decision that people saw.
    pub decision: Decision,
    /// What the runner found out.
    pub evidence: Option<EvidenceRecord>,
}

/// Finds the suggested item with this id, or the beginning of one.
///
/// # Errors
/// When there is none, or it doesn't wait for a human.
pub fn waiting(history: &History, id: &str) -> Result<Waiting> {
    let finding = find(history, id)?;
    let id = finding.id();
    let none = |why: String| {
        BadInput::new(
            format!("`{id}` doesn't wait for a human: {why}"),
            "see what does with `holdpoint waiting`",
        )
    };
    let decision = history
        .decisions
        .get(&id)
        .ok_or_else(|| none("nothing was decided about it yet".to_owned()))?;
    let fix = decision
        .fix
        .as_ref()
        .and_then(|fix| history.fixes.get(fix))
        .ok_or_else(|| none("it has no candidate fix".to_owned()))?;
    if history.merges.contains_key(&fix.id) {
        return Err(none("its fix is merged".to_owned()).into());
    }
    if decision.level != Level::Suggest {
        return Err(none(format!("its level is {}", decision.level)).into());
    }
    let evidence = history
        .evidence
        .values()
        .find(|record| decision.inputs.evidence == Digest::of_json(&record.evidence).ok())
        .cloned();
    Ok(Waiting {
        finding: finding.clone(),
        fix: fix.clone(),
        decision: decision.clone(),
        evidence,
    })
}

/// Finds a recorded finding by its id, or the beginning of one.
///
/// # Errors
/// When there is none, or several.
pub fn find<'h>(history: &'h History, id: &str) -> Result<&'h RepoFinding> {
    let is_match =
        |finding: &&RepoFinding| finding.id().starts_with(id) || finding.finding.fingerprint.as_str().starts_with(id);
    let found: Vec<&RepoFinding> = history.findings.values().filter(is_match).collect();
    match found.as_slice() {
        [one] => Ok(one),
        [] => Err(BadInput::new(
            format!("no finding `{id}` is on record"),
            "`holdpoint run` records findings; its table shows their ids",
        )
        .into()),
        several => {
            let ids: Vec<String> = several
                .iter()
                .map(|finding| format!("{} ({}@{})", finding.id(), finding.repo, finding.branch))
                .collect();
            Err(BadInput::new(
                format!("`{id}` may be any of {} findings", several.len()),
                format!("name one of: {}", ids.join(", ")),
            )
            .into())
        }
    }
}

impl Waiting {
    /// Until when somebody may approve it; `None` while no run has proposed it.
    pub fn deadline(&self, session: &Session, history: &History) -> Option<Timestamp> {
        let wait = history.desk.waits.get(&self.fix.id)?;
        Some(wait.deadline(session.estate.config.approvals.deadline))
    }

    /// Why it is too late, if it is: silence is a no, whether or not a run has noticed it.
    pub fn too_late(&self, session: &Session, history: &History) -> Option<String> {
        let wait = history.desk.waits.get(&self.fix.id)?;
        let deadline = match &wait.timed_out {
            Some(timed_out) => timed_out.deadline,
            None => self.deadline(session, history)?,
        };
        let over = wait.timed_out.is_some() || history.desk.now(session.at) >= deadline;
        over.then(|| format!("it timed out at {deadline}: nobody's go was merged by then, and silence is a no"))
    }

    /// Refuses what nobody may speak for any more.
    ///
    /// # Errors
    /// When it timed out.
    pub fn still_waits(&self, session: &Session, history: &History) -> Result<()> {
        match self.too_late(session, history) {
            None => Ok(()),
            Some(why) => Err(BadInput::new(
                format!("`{}` no longer waits: {why}", self.finding.id()),
                format!(
                    "`holdpoint run` proposes it again once it, the policies or the facts have changed, or {} after that",
                    session.estate.config.approvals.pause
                ),
            )
            .into()),
        }
    }
}

/// A fix that was proposed and waits for a person.
pub struct Proposed<'h> {
    /// Fix.
    pub fix: &'h Fix,
    /// Findings that wait with it.
    pub findings: Vec<&'h RepoFinding>,
    /// How long.
    pub wait: &'h Wait,
}

/// Fixes that were proposed and that the newest decisions still suggest; those that timed out among them.
pub fn proposed(history: &History) -> Vec<Proposed<'_>> {
    let mut by_fix: BTreeMap<&Digest, Vec<&RepoFinding>> = BTreeMap::new();
    for (id, decision) in &history.decisions {
        if let (Level::Suggest, Some(fix), Some(finding)) =
            (decision.level, decision.fix.as_ref(), history.findings.get(id))
        {
            by_fix.entry(fix).or_default().push(finding);
        }
    }
    by_fix
        .into_iter()
        .filter(|(fix, _)| !history.merges.contains_key(*fix))
        .filter_map(|(fix, findings)| {
            Some(Proposed {
                fix: history.fixes.get(fix)?,
                findings,
                wait: history.desk.waits.get(fix)?,
            })
        })
        .collect()
}
