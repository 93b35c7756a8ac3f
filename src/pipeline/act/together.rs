//! Merges of fixes that were tested as one.

use anyhow::Result;
use holdpoint_forge::{Forge, Merge, MergeOutcome};
use holdpoint_schemas::decision::Decision;
use holdpoint_schemas::evidence::EvidenceRecord;
use holdpoint_schemas::finding::RepoFinding;
use holdpoint_schemas::fix::Fix;
use holdpoint_schemas::{Digest, Level};

use super::commit::{Change, Place};
use super::merge::{AUTO_APPLY, merge_gate};
use super::{base_moved, branch_name, forge, refresh};
use crate::pipeline::record::{MERGE, MERGE_INTENT, MergeRecord, Stack};
use crate::pipeline::report::Outcome;
use crate::pipeline::rollout::tonight::Tonight;
use crate::pipeline::session::Session;

/// Why a fix of a batch wasn't merged when another one of it can't be.
pub const TESTED_TOGETHER: &str = "it was tested together with a fix that can't be merged now";

/// Outcome of a fix of a batch when another one of it can't be merged.
pub fn tested_together() -> Outcome {
    Outcome::NotDone {
        why: TESTED_TOGETHER.to_owned(),
    }
}

/// A fix of a batch.
pub struct Member<'a> {
    /// A finding that it resolves.
    pub finding: &'a RepoFinding,
    /// Fix.
    pub fix: &'a Fix,
    /// What permits it.
    pub decision: &'a Decision,
    /// The tree after it, on top of those before it.
    pub tree: &'a str,
}

/// Merges fixes that were tested as one: one commit each, and the branch moves once, to the tree that was tested.
/// Where one of them is held now, none is merged, since without it nothing was tested: each is tested by itself. The
/// outcomes are by fix.
///
/// # Errors
/// When the remote or the ledger can't be written.
pub fn auto_apply_together(
    session: &mut Session,
    members: &[Member<'_>],
    evidence: &EvidenceRecord,
    tonight: &Tonight,
) -> Result<Vec<(Digest, Outcome)>> {
    let Some(first) = members.first().map(|member| member.fix) else {
        return Ok(Vec::new());
    };
    refresh(session, &first.repo)?;
    let mut gates = Vec::new();
    for member in members {
        gates.push(merge_gate(session, member.finding, member.fix, evidence, tonight)?);
    }
    let each = |outcome: &dyn Fn(usize) -> Outcome| {
        let named = members.iter().enumerate();
        named
            .map(|(index, member)| (member.fix.id.clone(), outcome(index)))
            .collect()
    };
    if gates.iter().any(|gate| gate.level != Level::AutoApply) {
        // Nothing is recorded: a decision on the stack's evidence must not wait for a person, who would merge one
        // fix by itself.
        return Ok(each(&|_| tested_together()));
    }
    for (member, gate) in members.iter().zip(&gates) {
        session.record_decision(member.decision)?;
        session.record_decision(gate)?;
    }
    let forge = forge(session, &first.repo)?;
    if forge.head(&first.target_branch)?.as_deref() != Some(first.base_commit.as_str()) {
        return Ok(each(&|_| base_moved()));
    }
    let records = commits(session, members, evidence)?;
    let Some(last) = records.last() else {
        return Ok(Vec::new());
    };
    let at = session.at;
    session
        .ledger
        .append_all(records.iter().map(|record| (MERGE_INTENT, at, record)))?;
    tracing::debug!(repo = first.repo, "merges intended");
    let outcome = forge.merge(&Merge {
        branch: first.target_branch.clone(),
        expected_base: first.base_commit.clone(),
        commits: records.len(),
        commit: last.commit.clone(),
        tree: last.tree.clone(),
    })?;
    tracing::debug!(repo = first.repo, "branch moved");
    if outcome != MergeOutcome::Merged {
        // The next round begins where the branch is now.
        refresh(session, &first.repo)?;
        return Ok(each(&|_| base_moved()));
    }
    session
        .ledger
        .append_all(records.iter().map(|record| (MERGE, at, record)))?;
    tracing::debug!(repo = first.repo, "merges recorded");
    for (member, record) in members.iter().zip(&records) {
        session.record_merge(member.fix, member.decision, record)?;
        let _ = forge.close(&branch_name(member.fix), &format!("merged as {}", record.commit));
    }
    Ok(each(&|index| match records.get(index) {
        Some(record) => Outcome::Merged {
            branch: record.branch.clone(),
            commit: record.commit.clone(),
        },
        None => base_moved(),
    }))
}

/// The commits of a stack, one on top of the other, as they are put on record.
fn commits(session: &mut Session, members: &[Member<'_>], evidence: &EvidenceRecord) -> Result<Vec<MergeRecord>> {
    let Some(first) = members.first().map(|member| member.fix) else {
        return Ok(Vec::new());
    };
    let stack = Stack {
        base: first.base_commit.clone(),
        tree: members.last().map(|member| member.tree.to_owned()).unwrap_or_default(),
        fixes: members.iter().map(|member| member.fix.id.clone()).collect(),
    };
    let mut records = Vec::new();
    let mut parent = first.base_commit.clone();
    for member in members {
        let place = Place {
            parent: &parent,
            tree: member.tree,
            together: members.len(),
        };
        let change = Change {
            finding: member.finding,
            fix: member.fix,
            decision: member.decision,
            evidence,
            approved_by: None,
        };
        let commit = change.commit_at(session, &place)?;
        records.push(MergeRecord {
            repo: first.repo.clone(),
            branch: first.target_branch.clone(),
            fix: member.fix.id.clone(),
            decision: member.decision.id.clone(),
            base: std::mem::replace(&mut parent, commit.clone()),
            commit,
            tree: member.tree.to_owned(),
            by: AUTO_APPLY.to_owned(),
            stack: Some(stack.clone()),
        });
    }
    Ok(records)
}
