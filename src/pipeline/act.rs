//! What a decision leads to: a pull request, or a merge of exactly the tree that was tested.

use anyhow::Result;
use holdpoint_engine::decide::{self, Question};
use holdpoint_forge::{Candidate, Forge, LocalForge, Merge, MergeOutcome, Proposal, commit_candidate};
use holdpoint_schemas::decision::Decision;
use holdpoint_schemas::evidence::EvidenceRecord;
use holdpoint_schemas::finding::RepoFinding;
use holdpoint_schemas::fix::{Fix, FixKind};
use holdpoint_schemas::{Digest, Level};

use super::approvals;
use super::document;
use super::history::History;
use super::mirror::Mirror;
use super::record::{MERGE, MERGE_INTENT, MergeRecord, PROPOSAL, ProposalRecord, Stack};
use super::report::Outcome;
use super::rollout::tonight::Tonight;
use super::session::{Role, Session};
use crate::failure::BadInput;

/// Why a merge wasn't done when the branch moved: the fix is tested again on the new base.
pub const BASE_MOVED: &str = "the branch moved while the fix was being tested";

/// Who merged when nobody had to be asked.
pub const AUTO_APPLY: &str = "auto-apply";

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

/// Where a commit stands and what it holds.
struct Place<'a> {
    parent: &'a str,
    tree: &'a str,
    /// Fixes that were tested as one with it.
    together: usize,
}

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
    let place = Place {
        parent: &fix.base_commit,
        tree: &fix.candidate_tree,
        together: 1,
    };
    commit_at(session, finding, fix, decision, evidence, approved_by, &place)
}

fn commit_at(
    session: &mut Session,
    finding: &RepoFinding,
    fix: &Fix,
    decision: &Decision,
    evidence: &EvidenceRecord,
    approved_by: Option<&str>,
    place: &Place<'_>,
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
    if place.together > 1 {
        let count = format!("{} fixes", place.together);
        trailers.push(("Holdpoint-Tested-Together".to_owned(), count));
    }
    let candidate = Candidate {
        base_commit: place.parent.to_owned(),
        tree: place.tree.to_owned(),
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
    if let Some(why) = approvals::not_again(session, history, finding, fix)? {
        return Ok(Outcome::NotDone { why });
    }
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
    session.recorder().append_new(PROPOSAL, [&record])?;
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
            Ok(Outcome::NotDone {
                why: BASE_MOVED.to_owned(),
            })
        }
    }
}

/// Decides once more on the facts of this moment.
fn merge_gate(
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

/// Merges fixes that were tested as one: one commit each, and the branch moves once, to the tree that was tested.
/// Where one of them is held now, none is merged, since without it nothing was tested: each is tested by itself. The outcomes are by fix.
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
    let moved = || Outcome::NotDone {
        why: BASE_MOVED.to_owned(),
    };
    let forge = forge(session, &first.repo)?;
    if forge.head(&first.target_branch)?.as_deref() != Some(first.base_commit.as_str()) {
        return Ok(each(&|_| moved()));
    }
    let stack = Stack {
        base: first.base_commit.clone(),
        tree: members.last().map(|member| member.tree.to_owned()).unwrap_or_default(),
        fixes: members.iter().map(|member| member.fix.id.clone()).collect(),
    };
    let mut records: Vec<MergeRecord> = Vec::new();
    let mut parent = first.base_commit.clone();
    for member in members {
        let place = Place {
            parent: &parent,
            tree: member.tree,
            together: members.len(),
        };
        let commit = commit_at(
            session,
            member.finding,
            member.fix,
            member.decision,
            evidence,
            None,
            &place,
        )?;
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
    let at = session.at;
    session
        .ledger
        .append_all(records.iter().map(|record| (MERGE_INTENT, at, record)))?;
    tracing::debug!(repo = first.repo, "merges intended");
    let outcome = forge.merge(&Merge {
        branch: first.target_branch.clone(),
        expected_base: first.base_commit.clone(),
        commits: records.len(),
        commit: parent,
        tree: stack.tree,
    })?;
    tracing::debug!(repo = first.repo, "branch moved");
    if outcome != MergeOutcome::Merged {
        // The next round begins where the branch is now.
        refresh(session, &first.repo)?;
        return Ok(each(&|_| moved()));
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
        None => moved(),
    }))
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
pub fn proposed_with(session: &mut Session, fix: &Fix) -> Result<Option<Outcome>> {
    let history = session.history()?;
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
pub fn merged_with(session: &mut Session, fix: &Fix) -> Result<Outcome> {
    let history = session.history()?;
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
