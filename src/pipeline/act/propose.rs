//! Pull requests, which wait for a human's go.

use anyhow::Result;
use holdpoint_forge::{Forge, Proposal};
use holdpoint_schemas::decision::Decision;
use holdpoint_schemas::evidence::EvidenceRecord;
use holdpoint_schemas::finding::RepoFinding;
use holdpoint_schemas::fix::Fix;

use super::commit::Change;
use super::{base_moved, branch_name, forge, refresh};
use crate::pipeline::approvals;
use crate::pipeline::document;
use crate::pipeline::history::History;
use crate::pipeline::record::{PROPOSAL, ProposalRecord};
use crate::pipeline::report::Outcome;
use crate::pipeline::session::Session;

/// Opens a pull request that waits for a human's go; the same fix on the same base is proposed once,
/// for all the findings that it resolves.
///
/// # Errors
/// When the remote or the ledger can't be written.
pub fn propose(
    session: &mut Session,
    history: &History,
    findings: &[&RepoFinding],
    fix: &Fix,
    decision: &Decision,
    evidence: &EvidenceRecord,
) -> Result<Outcome> {
    let forge = forge(session, &fix.repo)?;
    let branch = branch_name(fix);
    let Some(finding) = findings.first() else {
        return Ok(Outcome::Alerted);
    };
    if let Some(why) = approvals::not_again(session, history, finding, fix)? {
        return Ok(Outcome::NotDone { why });
    }
    if forge.head(&fix.target_branch)?.as_deref() != Some(fix.base_commit.as_str()) {
        refresh(session, &fix.repo)?;
        return Ok(base_moved());
    }
    if let Some(known) = history.proposals.get(&fix.id)
        && known.decision == decision.id
        && forge.head(&branch)?.as_deref() == Some(known.commit.as_str())
    {
        return Ok(Outcome::PullRequest {
            branch,
            document: known.document.clone(),
            existed: true,
        });
    }
    let change = Change {
        finding,
        fix,
        decision,
        evidence,
        approved_by: None,
    };
    let commit = change.commit(session)?;
    let head = session.ledger.head()?.to_string();
    let blast = session.estate.graph.blast_radius(&decision.service);
    let document = document::pull_request(
        findings,
        fix,
        decision,
        evidence,
        blast.as_ref(),
        &head,
        &session.estate.facts,
    );
    let published = forge.publish(&Proposal {
        branch: branch.clone(),
        commit: commit.clone(),
        document,
    })?;
    let document = published
        .document
        .strip_prefix(&session.state.root)
        .unwrap_or(&published.document)
        .display()
        .to_string();
    let record = ProposalRecord {
        fix: fix.id.clone(),
        decision: decision.id.clone(),
        branch: branch.clone(),
        commit,
        document: document.clone(),
    };
    session.recorder().append_new(PROPOSAL, [&record])?;
    Ok(Outcome::PullRequest {
        branch,
        document,
        existed: published.existed,
    })
}

/// Outcome of a finding whose fix was proposed for another finding of this run, or before.
///
/// # Errors
/// When the ledger can't be read.
pub fn proposed_with(session: &mut Session, fix: &Fix) -> Result<Option<Outcome>> {
    let history = session.history()?;
    Ok(history.proposals.get(&fix.id).map(|known| Outcome::PullRequest {
        branch: known.branch.clone(),
        document: known.document.clone(),
        existed: true,
    }))
}
