//! The human go: who may give it, what it is bound to, how long it is waited for, and what an emergency changes.

mod attend;
mod count;
pub mod desk;
mod emergency;
mod listing;
mod promotion;
mod waiting;

pub use attend::{Notice, not_again};
pub use emergency::{Override, acknowledge, override_waiting};
pub use listing::{OpenOverride, Queue, WaitingItem, list};
pub use promotion::{Promotion, promote};
use promotion::{Standing, standing};
pub use waiting::{Waiting, find, waiting};

use anyhow::{Context, Result};
use holdpoint_engine::decide;
use holdpoint_ledger::approval::{Approvers, sign as sign_statement, verify};
use holdpoint_schemas::approval::{ApprovalStatement, Binding, SignedApproval, SignedStatement, Statement, Verb};
use holdpoint_schemas::estate::EstateConfig;
use holdpoint_schemas::fact::FactSet;
use serde::Serialize;
use std::fmt::Write as _;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use self::count::Ballot;
use self::desk::EstateRecord;
use super::act;
use super::confided;
use super::estate::read_text;
use super::history::History;
use super::record::{APPROVAL, ESTATE};
use super::session::Session;
use crate::failure::BadInput;

/// Why a fix that no one has said a word about isn't promoted.
pub const UNAPPROVED: &str = "nobody has approved it";

/// What is said of who approved, where it took an emergency override.
pub const EMERGENCY: &str = " (emergency override)";

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

    /// Signs; whether the signature counts is another question.
    ///
    /// # Errors
    /// When the key can't be used.
    pub fn signed<S: Statement>(&self, statement: S) -> Result<SignedStatement<S>> {
        sign_statement(statement, &self.key).map_err(|error| {
            BadInput::new(
                error.to_string(),
                "name an SSH private key, or the public key of one that your agent holds",
            )
            .into()
        })
    }

    /// Signs, and checks that the signature would count.
    fn sign<S: Statement>(&self, session: &Session, statement: S) -> Result<SignedStatement<S>> {
        let signed = self.signed(statement)?;
        verify(
            &signed,
            &approvers(&session.estate.root, &session.estate.config)?,
            session.at,
        )
        .map_err(|error| {
            BadInput::new(
                format!("the signature doesn't count: {error}"),
                "the estate's approvers file lists who may approve, and with which key",
            )
        })?;
        Ok(signed)
    }
}

/// What somebody said, and what it comes to.
#[derive(Debug, Clone, Serialize)]
pub struct Said {
    /// What is on record.
    #[serde(flatten)]
    pub approval: SignedApproval,
    /// Whether it counts.
    pub counts: bool,
    /// What is still missing for a merge; nothing of a no.
    pub missing: Vec<String>,
    /// Words about the fix that don't count, and why; nothing of a no.
    pub refused: Vec<String>,
}

/// Signs a go or a no and records it, once its signature verifies against the estate's approvers. Says what it comes
/// to: a go that is on record may still not count, or not be enough.
///
/// # Errors
/// When the item doesn't wait, or the signature isn't an approver's.
pub fn say(session: &mut Session, id: &str, verb: Verb, signer: &Signer, comment: Option<String>) -> Result<Said> {
    let approval = sign(session, id, verb, signer, comment)?;
    if verb == Verb::Decline {
        return Ok(Said {
            approval,
            counts: true,
            missing: Vec::new(),
            refused: Vec::new(),
        });
    }
    let mut standing = || -> Result<Standing> {
        let history = session.history()?;
        session.stand(&history);
        standing(session, &history, &waiting(&history, id)?)
    };
    let Standing {
        counted, permission, ..
    } = standing().context("the go is on record, but what it comes to can't be told")?;
    Ok(Said {
        counts: counted.names().contains(&approval.statement.by.as_str()),
        approval,
        missing: permission.bounds.into_iter().map(|bound| bound.reason).collect(),
        refused: counted.refused,
    })
}

fn sign(
    session: &mut Session,
    id: &str,
    verb: Verb,
    signer: &Signer,
    comment: Option<String>,
) -> Result<SignedApproval> {
    if let Some(comment) = &comment {
        confided::check("message", comment)?;
    }
    let history = session.history()?;
    let item = waiting(&history, id)?;
    item.still_waits(session, &history)?;
    act::refresh(session, &item.fix.repo)?;
    let statement = ApprovalStatement {
        verb,
        fix: item.fix.id.clone(),
        decision: item.decision.id.clone(),
        binding: binding_to_sign(session, &history, &item)?,
        by: signer.identity.clone(),
        at: session.at,
        expires: session.estate.config.approvals.lifetime.after(session.at),
        comment,
    };
    let approval = signer.sign(session, statement)?;
    session.record_approvers()?;
    session.ledger.append(APPROVAL, session.at, &approval)?;
    Ok(approval)
}

/// Who may sign, and who is who. Whoever can't be told apart can't be counted, so a file of either that can't be read
/// stops whatever counts.
///
/// # Errors
/// When the estate names no approvers, or one of the files can't be read.
pub fn approvers(root: &Path, config: &EstateConfig) -> Result<Approvers> {
    let Some(file) = &config.approvers else {
        return Err(BadInput::new(
            "the estate names no approvers",
            "add `approvers:` to `holdpoint.yaml`, a file in OpenSSH's allowed_signers form",
        )
        .into());
    };
    let approvers = Approvers::parse(file, &read_text(root, file)?).map_err(|problems| {
        problems
            .into_iter()
            .next()
            .map_or_else(|| anyhow::anyhow!("`{file}` can't be read"), Into::into)
    })?;
    match &config.approvals.people {
        None => Ok(approvers),
        Some(file) => {
            let people = holdpoint_intake::estate::read_people(file, &read_text(root, file)?)?;
            Ok(approvers.with_people(people))
        }
    }
}

/// What a go is bound to, in an estate that has an id by then.
fn binding_to_sign(session: &mut Session, history: &History, item: &Waiting) -> Result<Binding> {
    let mut binding = binding(session, history, item)?;
    if binding.estate.is_empty() {
        let mut bytes = [0; 16];
        File::open("/dev/urandom")
            .and_then(|mut random| random.read_exact(&mut bytes))
            .context("drawing the estate's id")?;
        let id = bytes.iter().fold(String::new(), |mut id, byte| {
            let _ = write!(id, "{byte:02x}");
            id
        });
        session.ledger.append(ESTATE, session.at, &EstateRecord { id })?;
        // Another process may have been first: what is on record counts.
        binding.estate = session.history()?.desk.estate.clone().unwrap_or_default();
    }
    Ok(binding)
}

/// What an approval of this item is bound to, on the facts of this moment.
fn binding(session: &Session, history: &History, item: &Waiting) -> Result<Binding> {
    let (facts, _) = session.facts(history, &item.finding, Some(&item.fix));
    let facts = with_evidence(facts, &item.decision.facts);
    Ok(Binding {
        estate: history.desk.estate.clone().unwrap_or_default(),
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

/// Runs `count` on what was said about an item.
fn with_ballot<T>(
    session: &Session,
    history: &History,
    item: &Waiting,
    binding: &Binding,
    count: impl FnOnce(&Ballot<'_>) -> T,
) -> Result<T> {
    let approvers = approvers(&session.estate.root, &session.estate.config)?;
    let owners = session.owners(&item.finding, Some(&item.fix));
    let ballot = Ballot {
        approvers: &approvers,
        config: &session.estate.config.approvals,
        desk: &history.desk,
        fix: &item.fix,
        binding,
        // Of what nobody owns, nobody's approval is the owner's.
        services: if owners.known() { &owners.services } else { &[] },
        now: history.desk.now(session.at),
    };
    Ok(count(&ballot))
}
