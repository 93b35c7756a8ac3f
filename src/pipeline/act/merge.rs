//! Merges of exactly the tree that was tested, on record before and after.

use anyhow::Result;
use holdpoint_engine::decide::{self, Question};
use holdpoint_forge::{Forge, Merge, MergeOutcome};
use holdpoint_schemas::Level;
use holdpoint_schemas::decision::Decision;
use holdpoint_schemas::evidence::EvidenceRecord;
use holdpoint_schemas::finding::RepoFinding;
use holdpoint_schemas::fix::Fix;

use super::commit::Change;
use super::{base_moved, branch_name, forge, refresh};
use crate::pipeline::record::{MERGE, MERGE_INTENT, MergeRecord};
use crate::pipeline::report::Outcome;
use crate::pipeline::rollout::tonight::Tonight;
use crate::pipeline::session::{Role, Session};

/// Who merged when nobody had to be asked.
pub const AUTO_APPLY: &str = "auto-apply";

/// Merges without asking: the merge gate decides again on the facts of this moment, then the
/// remote's branch is moved to exactly the tested tree.
///
/// # Errors
/// When the remote or the ledger can't be written.
pub fn auto_apply(
    session: &mut Session,
    finding: &RepoFinding,
    fix: &Fix,
    decision: &Decision,
    evidence: &EvidenceRecord,
    tonight: &Tonight,
) -> Result<Outcome> {
    refresh(session, &fix.repo)?;
    let gate = merge_gate(session, finding, fix, evidence, tonight)?;
    session.record_decision(&gate)?;
    if gate.level != Level::AutoApply {
        let why = gate
            .bounds
            .last()
            .map_or_else(String::new, |bound| bound.reason.clone());
        return Ok(Outcome::NotDone {
            why: format!("at the moment of merge it was no longer permitted: {why}"),
        });
    }
    match merge(session, finding, fix, decision, evidence, AUTO_APPLY)? {
        Some(record) => Ok(Outcome::Merged {
            branch: record.branch,
            commit: record.commit,
        }),
        None => {
            refresh(session, &fix.repo)?;
            Ok(base_moved())
        }
    }
}

/// Decides once more on the facts of this moment.
pub(super) fn merge_gate(
    session: &mut Session,
    finding: &RepoFinding,
    fix: &Fix,
    evidence: &EvidenceRecord,
    tonight: &Tonight,
) -> Result<Decision> {
    let (history, no_room) = session.let_through(tonight, fix)?;
    let (facts, service) = session.facts(&history, finding, Some(fix));
    let mut caps = session.caps(finding, Some(fix), &facts);
    caps.extend(no_room);
    let question = Question {
        finding,
        service: &service,
        fix: Some(fix),
        facts: &facts,
        evidence: Some(&evidence.evidence),
        rollout: &session.standing.effective,
        caps: &caps,
        now: session.at,
    };
    session.asked.note(&question)?;
    Ok(decide::merge_gate(&session.estate.pack, &question)?)
}

/// Moves the branch, with its intent on record before and its outcome after. `None`: the branch
/// had moved, and nothing was done.
///
/// # Errors
/// When the remote or the ledger can't be written.
pub fn merge(
    session: &mut Session,
    finding: &RepoFinding,
    fix: &Fix,
    decision: &Decision,
    evidence: &EvidenceRecord,
    by: &str,
) -> Result<Option<MergeRecord>> {
    let forge = forge(session, &fix.repo)?;
    if forge.head(&fix.target_branch)?.as_deref() != Some(fix.base_commit.as_str()) {
        return Ok(None);
    }
    let change = Change {
        finding,
        fix,
        decision,
        evidence,
        approved_by: (by != AUTO_APPLY).then_some(by),
    };
    let commit = change.commit(session)?;
    let record = MergeRecord {
        repo: fix.repo.clone(),
        branch: fix.target_branch.clone(),
        fix: fix.id.clone(),
        decision: decision.id.clone(),
        base: fix.base_commit.clone(),
        commit: commit.clone(),
        tree: fix.candidate_tree.clone(),
        by: by.to_owned(),
        stack: None,
    };
    session.ledger.append(MERGE_INTENT, session.at, &record)?;
    tracing::debug!(repo = record.repo, "merge intended");
    let outcome = forge.merge(&Merge {
        branch: fix.target_branch.clone(),
        expected_base: fix.base_commit.clone(),
        commits: 1,
        commit,
        tree: fix.candidate_tree.clone(),
    })?;
    tracing::debug!(repo = record.repo, "branch moved");
    match outcome {
        MergeOutcome::Merged => {
            session.ledger.append(MERGE, session.at, &record)?;
            tracing::debug!(repo = record.repo, "merge recorded");
            session.record_merge(fix, decision, &record)?;
            // The fix is merged; a branch that can't be taken away changes nothing about that.
            let _ = forge.close(&branch_name(fix), &format!("merged as {}", record.commit));
            Ok(Some(record))
        }
        MergeOutcome::BaseMoved { .. } => Ok(None),
    }
}

/// Finds out how the merges ended that a killed run had begun: the remote says.
///
/// # Errors
/// When the ledger or a mirror can't be read.
pub fn settle_intents(session: &mut Session) -> Result<()> {
    if session.role == Role::Assists {
        return Ok(());
    }
    let history = session.history()?;
    for begun in history.open_intents.values() {
        for intent in begun {
            if has_landed(session, intent)? {
                session.ledger.append(MERGE, session.at, intent)?;
                break;
            }
        }
    }
    Ok(())
}

/// Whether a branch holds a merge that was begun, by what is known of the remote.
fn has_landed(session: &Session, intent: &MergeRecord) -> Result<bool> {
    let Some(mirror) = session.mirrors.get(&intent.repo) else {
        return Ok(false);
    };
    // A branch that is gone holds nothing.
    Ok(mirror.head(&intent.branch).is_some()
        && holdpoint_forge::git::contains(&mirror.path, &intent.branch, &intent.commit)?)
}

/// Outcome of a finding whose fix was merged for another finding of this run.
///
/// # Errors
/// When the ledger can't be read.
pub fn merged_with(session: &mut Session, fix: &Fix) -> Result<Outcome> {
    let history = session.history()?;
    Ok(match history.merges.get(&fix.id) {
        Some(merge) => Outcome::Merged {
            branch: merge.branch.clone(),
            commit: merge.commit.clone(),
        },
        None => base_moved(),
    })
}
