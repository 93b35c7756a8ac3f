//! The human go: approve, decline, promote.

use anyhow::{Context, Result};
use holdpoint_engine::decide::{self, Question};
use holdpoint_ledger::approval::{Approvers, bound_to, verify};
use holdpoint_schemas::approval::{APPROVAL_NAMESPACE, ApprovalStatement, Binding, SignedApproval, Verb};
use holdpoint_schemas::decision::{Bound, Decision};
use holdpoint_schemas::digest::canonical_json;
use holdpoint_schemas::evidence::EvidenceRecord;
use holdpoint_schemas::fact::{Fact, FactSet};
use holdpoint_schemas::finding::RepoFinding;
use holdpoint_schemas::fix::Fix;
use holdpoint_schemas::{Digest, Level, Timestamp};
use jiff::SignedDuration;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::act;
use super::estate::read_text;
use super::facts::without_evidence;
use super::record::{APPROVAL, History, MergeRecord, PERMISSION, PermissionRecord};
use super::session::Session;
use crate::failure::BadInput;

/// How long an approval counts: a working week. Time-out means no.
const LIFETIME: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Why a fix that no one has said a word about isn't promoted.
pub const UNAPPROVED: &str = "nobody has approved it";

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
            "see what does with `holdpoint decide`",
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

/// How a person signs.
pub struct Signer {
    /// Private key file, or public key of a key that the agent holds.
    pub key: PathBuf,
    /// Identity in the estate's approvers.
    pub identity: String,
}

impl Signer {
    /// Key and identity of the person's git config, as far as it says.
    pub fn from_git() -> (Option<PathBuf>, Option<String>) {
        let config = git2::Config::open_default().and_then(|mut config| config.snapshot());
        let entry = |name: &str| config.as_ref().ok().and_then(|config| config.get_string(name).ok());
        (entry("user.signingkey").map(PathBuf::from), entry("user.email"))
    }

    /// The signer of the command line, or of the person's git config (`user.signingkey`, `user.email`).
    ///
    /// # Errors
    /// When neither says.
    pub fn new(key: Option<PathBuf>, identity: Option<String>) -> Result<Self> {
        let (git_key, git_identity) = Self::from_git();
        let key = key.or(git_key);
        let identity = identity.or(git_identity);
        match (key, identity) {
            (Some(key), Some(identity)) => Ok(Self { key, identity }),
            (None, _) => Err(BadInput::new(
                "there is no key to sign with",
                "name one with `--key`, or set git's `user.signingkey` to an SSH key",
            )
            .into()),
            (_, None) => Err(BadInput::new(
                "nobody says who signs",
                "name yourself with `--by`, or set git's `user.email`",
            )
            .into()),
        }
    }
}

/// Signs a go or a no and records it, once its signature verifies against the estate's approvers.
///
/// # Errors
/// When the item doesn't wait, or the signature isn't an approver's.
pub fn sign(
    session: &mut Session,
    id: &str,
    verb: Verb,
    signer: &Signer,
    comment: Option<String>,
) -> Result<SignedApproval> {
    let history = History::read(&session.ledger)?;
    let item = waiting(&history, id)?;
    act::refresh(session, &item.fix.repo)?;
    let binding = binding(session, &history, &item)?;
    let statement = ApprovalStatement {
        verb,
        fix: item.fix.id.clone(),
        decision: item.decision.id.clone(),
        binding,
        by: signer.identity.clone(),
        at: session.at,
        expires: session
            .at
            .checked_add(LIFETIME)
            .context("the approval would expire after the end of time")?,
        comment,
    };
    let signature = ssh_sign(&session.state.temporary(), &signer.key, &canonical_json(&statement)?)?;
    let approval = SignedApproval { statement, signature };
    let approvers = approvers(session)?;
    verify(&approval, &approvers, session.at).map_err(|error| {
        BadInput::new(
            format!("the signature doesn't count: {error}"),
            "the estate's approvers file lists who may approve, and with which key",
        )
    })?;
    session.record_approvers()?;
    session.ledger.append(APPROVAL, session.at, &approval)?;
    Ok(approval)
}

fn approvers(session: &Session) -> Result<Approvers> {
    let Some(file) = &session.estate.config.approvers else {
        return Err(BadInput::new(
            "the estate names no approvers",
            "add `approvers:` to `holdpoint.yaml`, a file in OpenSSH's allowed_signers form",
        )
        .into());
    };
    Approvers::parse(file, &read_text(&session.estate.root, file)?).map_err(|problems| {
        problems
            .into_iter()
            .next()
            .map_or_else(|| anyhow::anyhow!("`{file}` can't be read"), Into::into)
    })
}

/// What an approval of this item is bound to, on the facts of this moment.
fn binding(session: &Session, history: &History, item: &Waiting) -> Result<Binding> {
    let (facts, _) = session.facts(history, &item.finding, Some(&item.fix));
    let facts = with_evidence(facts, &item.decision.facts);
    Ok(Binding {
        diff: item.fix.diff.clone(),
        base: session
            .mirrors
            .get(&item.fix.repo)
            .and_then(|mirror| mirror.head(&item.fix.target_branch))
            .unwrap_or_default(),
        tree: item.fix.candidate_tree.clone(),
        target_branch: item.fix.target_branch.clone(),
        repo: item.fix.repo.clone(),
        policies: session.estate.pack.digest().clone(),
        schema: session.estate.pack.schema_digest().clone(),
        facts: decide::binding_facts_digest(&session.estate.pack, &facts)?,
        evidence: item.decision.inputs.evidence.clone(),
    })
}

fn with_evidence(mut facts: FactSet, decided: &FactSet) -> FactSet {
    for (id, fact) in decided.known().filter(|(id, _)| id.starts_with("evidence.")) {
        facts.insert(id, fact.clone());
    }
    facts
}

/// Signs with OpenSSH, so that keys in an agent or on hardware work. The key stays out of argv's
/// values and the message goes through a file.
fn ssh_sign(folder: &Path, key: &Path, message: &[u8]) -> Result<String> {
    let file = tempfile::NamedTempFile::new_in(folder).context("making a file to sign")?;
    std::fs::write(file.path(), message).context("writing the statement to sign")?;
    let output = Command::new("ssh-keygen")
        .args(["-Y", "sign", "-n", APPROVAL_NAMESPACE, "-f"])
        .arg(key)
        .arg(file.path())
        .stdin(Stdio::null())
        .output()
        .map_err(|error| {
            BadInput::new(
                format!("`ssh-keygen` can't be run: {error}"),
                "install OpenSSH's client programs",
            )
        })?;
    let signature = file.path().with_extension("sig");
    let appended = PathBuf::from(format!("{}.sig", file.path().display()));
    let path = if appended.exists() { appended } else { signature };
    let text = std::fs::read_to_string(&path);
    let _ = std::fs::remove_file(&path);
    match text {
        Ok(text) if output.status.success() => Ok(text),
        _ => {
            let said = String::from_utf8_lossy(&output.stderr)
                .lines()
                .last()
                .unwrap_or_default()
                .to_owned();
            Err(BadInput::new(
                format!("`{}` can't sign: {said}", key.display()),
                "name an SSH private key, or the public key of one that your agent holds",
            )
            .into())
        }
    }
}

/// How a promotion ended.
pub enum Promotion {
    /// Merged.
    Done(Box<MergeRecord>),
    /// Held, and why.
    Held(Vec<String>),
}

/// Merges an approved fix: verifies every approval again, asks the third action, and moves the
/// branch to exactly the tested tree.
///
/// # Errors
/// When the item doesn't wait, or the remote or ledger can't be written.
pub fn promote(session: &mut Session, id: &str) -> Result<Promotion> {
    let history = History::read(&session.ledger)?;
    let item = waiting(&history, id)?;
    act::refresh(session, &item.fix.repo)?;
    let now = binding(session, &history, &item)?;
    let counted = count(session, &history, &item, &now)?;
    if counted.people.is_empty() {
        let mut why = counted.refused;
        if why.is_empty() {
            why.push(UNAPPROVED.to_owned());
        }
        return Ok(Promotion::Held(why));
    }
    let (mut facts, service) = session.facts(&history, &item.finding, Some(&item.fix));
    insert_approval(&mut facts, &counted, &item.fix, session.at);
    let asked = without_evidence(&facts);
    let question = Question {
        finding: &item.finding,
        service: &service,
        fix: Some(&item.fix),
        facts: &asked,
        evidence: item.evidence.as_ref().map(|record| &record.evidence),
        rollout: &session.estate.rollout,
        caps: &[],
        now: session.at,
    };
    session.asked.note(&question)?;
    let permission = decide::may_promote(&session.estate.pack, &question)?;
    let record = PermissionRecord {
        fix: item.fix.id.clone(),
        decision: item.decision.id.clone(),
        policies: session.estate.pack.digest().clone(),
        schema: session.estate.pack.schema_digest().clone(),
        rollout: Digest::of_json(question.rollout)?,
        caps: Digest::of_json(&question.caps)?,
        facts: asked.clone(),
        at: session.at,
        permission: permission.clone(),
    };
    session.record_inputs()?;
    session.record_asked(&record.rollout, &record.caps)?;
    session.recorder()?.append_new(PERMISSION, [&record])?;
    if !permission.permitted {
        return Ok(Promotion::Held(
            permission.bounds.into_iter().map(|bound: Bound| bound.reason).collect(),
        ));
    }
    let Some(evidence) = &item.evidence else {
        return Ok(Promotion::Held(vec!["no evidence is on record for it".to_owned()]));
    };
    let by: Vec<&str> = counted.people.iter().map(String::as_str).collect();
    match act::merge(
        session,
        &item.finding,
        &item.fix,
        &item.decision,
        evidence,
        &by.join(", "),
    )? {
        Some(record) => Ok(Promotion::Done(Box::new(record))),
        None => Ok(Promotion::Held(vec![format!(
            "{}; `holdpoint run` tests it on the new base",
            act::BASE_MOVED
        )])),
    }
}

/// Approvals that count, and why others don't.
struct Counted {
    people: BTreeSet<String>,
    refused: Vec<String>,
}

fn count(session: &Session, history: &History, item: &Waiting, now: &Binding) -> Result<Counted> {
    let approvers = approvers(session)?;
    let mut counted = Counted {
        people: BTreeSet::new(),
        refused: Vec::new(),
    };
    let mut keys: BTreeSet<String> = BTreeSet::new();
    for approval in history.approvals.get(&item.fix.id).into_iter().flatten() {
        let by = &approval.statement.by;
        let approver = match verify(approval, &approvers, session.at) {
            Ok(approver) => approver,
            Err(error) => {
                counted
                    .refused
                    .push(format!("the approval by {by} doesn't count: {error}"));
                continue;
            }
        };
        match approval.statement.verb {
            Verb::Decline => {
                counted.people.clear();
                keys.clear();
                counted
                    .refused
                    .push(format!("{by} declined it on {}", approval.statement.at));
            }
            Verb::Approve => match bound_to(&approval.statement, now) {
                Ok(()) => {
                    if keys.insert(approver.person) {
                        counted.people.insert(approver.identity);
                    }
                }
                Err(drifted) => counted.refused.push(format!(
                    "the approval by {by} is void, because this has changed since: {}",
                    drifted.join(", ")
                )),
            },
        }
    }
    Ok(counted)
}

fn insert_approval(facts: &mut FactSet, counted: &Counted, fix: &Fix, at: Timestamp) {
    let people: Vec<&str> = counted.people.iter().map(String::as_str).collect();
    let fact = |value: holdpoint_schemas::fact::FactValue| Fact {
        value,
        source: "verified signatures in the ledger".to_owned(),
        observed_at: at,
        note: Some(people.join(", ")),
    };
    let independent = counted
        .people
        .iter()
        .filter(|person| **person != fix.remediator.0)
        .count();
    facts.insert("approval.verified", fact((!counted.people.is_empty()).into()));
    facts.insert("approval.independent", fact((independent > 0).into()));
    facts.insert(
        "approval.independent_approvers",
        fact(i64::try_from(independent).unwrap_or(i64::MAX).into()),
    );
    facts.insert(
        "approval.approvers",
        fact(i64::try_from(counted.people.len()).unwrap_or(i64::MAX).into()),
    );
}
