//! What a decision leads to: a pull request, or a merge of exactly the tree that was tested.

use anyhow::Result;
use holdpoint_engine::decide::{self, Question};
use holdpoint_forge::{Candidate, Forge, LocalForge, Merge, MergeOutcome, Proposal, commit_candidate};
use holdpoint_ledger::Ledger;
use holdpoint_schemas::decision::Decision;
use holdpoint_schemas::evidence::EvidenceRecord;
use holdpoint_schemas::finding::RepoFinding;
use holdpoint_schemas::fix::{Fix, FixKind};
use holdpoint_schemas::{Digest, Level};

use super::document;
use super::mirror::Mirror;
use super::record::{History, MERGE, MERGE_INTENT, MergeRecord, PROPOSAL, ProposalRecord};
use super::report::Outcome;
use super::session::Session;
use crate::failure::BadInput;

/// Why a merge wasn't done when the branch moved: the fix is tested again on the new base.
pub const BASE_MOVED: &str = "the branch moved while the fix was being tested";

/// Who merged when nobody had to be asked.
pub const AUTO_APPLY: &str = "auto-apply";

/// Name of the branch that holds a candidate.
pub fn branch_name(fix: &Fix) -> String {
    format!("holdpoint/{}", fix.id.short())
}

/// The forge of a repo.
///
/// # Errors
/// When the estate has no such repo.
pub fn forge(session: &Session, repo: &str) -> Result<LocalForge> {
    let config = session.estate.repo(repo)?;
    let mirror = session
        .mirrors
        .get(repo)
        .ok_or_else(|| BadInput::new(format!("the repo `{repo}` can't be read"), "check its remote"))?;
    let documents = session.estate.state().join("pull-requests").join(repo);
    Ok(LocalForge {
        remote: session.estate.remote(config).into(),
        cache: mirror.path.clone(),
        pull_requests: documents,
    })
}

fn mirror<'a>(session: &'a Session, repo: &str) -> Result<&'a Mirror> {
    session
        .mirrors
        .get(repo)
        .ok_or_else(|| anyhow::anyhow!("the repo `{repo}` has no mirror"))
}

/// Commits the candidate's tree on its base. The same inputs give the same commit.
fn commit(
    session: &mut Session,
    finding: &RepoFinding,
    fix: &Fix,
    decision: &Decision,
    evidence: &EvidenceRecord,
    approved_by: Option<&str>,
) -> Result<String> {
    let head = session.ledger.head()?.to_string();
    let mirror = mirror(session, &fix.repo)?;
    let mut trailers = vec![
        (
            "Holdpoint-Finding".to_owned(),
            format!("{} {}", finding.id(), finding.finding.fingerprint),
        ),
        ("Holdpoint-Fix".to_owned(), fix.id.to_string()),
        ("Holdpoint-Decision".to_owned(), decision.id.to_string()),
        (
            "Holdpoint-Evidence".to_owned(),
            Digest::of_json(&evidence.evidence)?.to_string(),
        ),
        ("Holdpoint-Ledger".to_owned(), head),
    ];
    trailers.extend(approved_by.map(|people| ("Holdpoint-Approved-By".to_owned(), people.to_owned())));
    let candidate = Candidate {
        base_commit: fix.base_commit.clone(),
        tree: fix.candidate_tree.clone(),
        author_name: format!("Holdpoint for {}", fix.remediator),
        author_email: "holdpoint@localhost".to_owned(),
        at: session.at,
        message: document::commit_message(finding, fix, decision),
        trailers,
    };
    Ok(commit_candidate(&mirror.git, &candidate)?)
}

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
    if forge.head(&fix.target_branch)?.as_deref() != Some(fix.base_commit.as_str()) {
        refresh(session, &fix.repo)?;
        return Ok(Outcome::NotDone {
            why: BASE_MOVED.to_owned(),
        });
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
    let commit = commit(session, finding, fix, decision, evidence, None)?;
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
    session.recorder()?.append_new(PROPOSAL, [&record])?;
    Ok(Outcome::PullRequest {
        branch,
        document,
        existed: published.existed,
    })
}

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
) -> Result<Outcome> {
    refresh(session, &fix.repo)?;
    let history = History::read(&session.ledger)?;
    let (facts, service) = session.facts(&history, finding, Some(fix));
    let question = Question {
        finding,
        service: &service,
        fix: Some(fix),
        facts: &facts,
        evidence: Some(&evidence.evidence),
        rollout: &session.estate.rollout,
        caps: &[],
        now: session.at,
    };
    session.asked.note(&question)?;
    let gate = decide::merge_gate(&session.estate.pack, &question)?;
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
        None => Ok(Outcome::NotDone {
            why: BASE_MOVED.to_owned(),
        }),
    }
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
    let approved_by = (by != AUTO_APPLY).then_some(by);
    let commit = commit(session, finding, fix, decision, evidence, approved_by)?;
    let record = MergeRecord {
        repo: fix.repo.clone(),
        branch: fix.target_branch.clone(),
        fix: fix.id.clone(),
        decision: decision.id.clone(),
        base: fix.base_commit.clone(),
        commit: commit.clone(),
        tree: fix.candidate_tree.clone(),
        by: by.to_owned(),
    };
    session.ledger.append(MERGE_INTENT, session.at, &record)?;
    let outcome = forge.merge(&Merge {
        branch: fix.target_branch.clone(),
        expected_base: fix.base_commit.clone(),
        commit,
        tree: fix.candidate_tree.clone(),
    })?;
    match outcome {
        MergeOutcome::Merged => {
            session.ledger.append(MERGE, session.at, &record)?;
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
    let history = History::read(&session.ledger)?;
    for intent in history.open_intents.values() {
        let Some(mirror) = session.mirrors.get(&intent.repo) else {
            continue;
        };
        if holdpoint_forge::git::contains(&mirror.path, &intent.branch, &intent.commit)? {
            session.ledger.append(MERGE, session.at, intent)?;
        }
    }
    Ok(())
}

/// Fetches a repo again.
///
/// # Errors
/// When its remote can't be reached.
pub fn refresh(session: &mut Session, repo: &str) -> Result<()> {
    let mirror = Mirror::fetch(&session.estate, repo)?;
    session.mirrors.insert(repo.to_owned(), mirror);
    Ok(())
}

/// Outcome of a finding whose fix was proposed for another finding of this run, or before.
///
/// # Errors
/// When the ledger can't be read.
pub fn proposed_with(ledger: &Ledger, fix: &Fix) -> Result<Option<Outcome>> {
    let history = History::read(ledger)?;
    Ok(history.proposals.get(&fix.id).map(|known| Outcome::PullRequest {
        branch: known.branch.clone(),
        document: known.document.clone(),
        existed: true,
    }))
}

/// Outcome of a finding whose fix was merged for another finding of this run.
///
/// # Errors
/// When the ledger can't be read.
pub fn merged_with(ledger: &Ledger, fix: &Fix) -> Result<Outcome> {
    let history = History::read(ledger)?;
    Ok(match history.merges.get(&fix.id) {
        Some(merge) => Outcome::Merged {
            branch: merge.branch.clone(),
            commit: merge.commit.clone(),
        },
        None => Outcome::NotDone {
            why: BASE_MOVED.to_owned(),
        },
    })
}

/// What people should do besides.
pub fn advice(fix: Option<&Fix>) -> Vec<String> {
    match fix.map(|fix| fix.classification.kind) {
        Some(FixKind::SecretToReference) => vec![
            "The old value stays in the repo's history: rotate it, and put the new value only where the variable is provisioned.".to_owned(),
        ],
        _ => Vec::new(),
    }
}
