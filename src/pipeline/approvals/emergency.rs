//! Overriding waiting rules in an emergency, loudly, and looking at it afterwards.

use anyhow::Result;
use holdpoint_ledger::approval::{Approvers, is_signed, verify};
use holdpoint_schemas::approval::{OverrideStatement, ReviewStatement, SignedOverride, SignedReview};
use holdpoint_schemas::fact::{Action, keys};
use holdpoint_schemas::length::Length;
use holdpoint_schemas::{Digest, Timestamp};
use std::collections::BTreeSet;

use super::desk::OnRecord;
use super::listing::OpenOverride;
use super::waiting::{find, waiting};
use super::{Signer, approvers, binding_to_sign};
use crate::failure::BadInput;
use crate::pipeline::act;
use crate::pipeline::confided;
use crate::pipeline::history::History;
use crate::pipeline::record::{OVERRIDE, REVIEW};
use crate::pipeline::session::Session;

/// Shortest reason: whoever looks at it afterwards must learn something from it.
const MIN_REASON: usize = 10;

/// What somebody signs in an emergency.
pub struct Override {
    /// What the emergency is.
    pub reason: String,
    /// How long it holds; the estate's longest without.
    pub lifetime: Option<Length>,
}

/// Signs and records an emergency override of what waits for approvals.
///
/// # Errors
/// When the item doesn't wait, the policies know no emergency, it would hold for too long, or the signature isn't an
/// approver's.
pub fn override_waiting(session: &mut Session, id: &str, signer: &Signer, wanted: &Override) -> Result<SignedOverride> {
    let history = session.history()?;
    let item = waiting(&history, id)?;
    item.still_waits(session, &history)?;
    let pack = &session.estate.pack;
    if !pack
        .facts_read(Action::Promote)
        .contains(keys::approval::EMERGENCY.id())
    {
        return Err(BadInput::new(
            format!("the policy pack `{}` knows no emergency", pack.name()),
            format!(
                "no policy on `promote` asks for `{}`, so an override would change nothing",
                keys::approval::EMERGENCY.id()
            ),
        )
        .into());
    }
    if wanted.reason.trim().chars().count() < MIN_REASON {
        return Err(BadInput::new(
            "the reason says too little",
            "say what the emergency is, for whoever looks at it afterwards",
        )
        .into());
    }
    confided::check("reason", &wanted.reason)?;
    let longest = session.estate.config.approvals.override_lifetime;
    let lifetime = wanted.lifetime.unwrap_or(longest);
    if lifetime > longest {
        return Err(BadInput::new(
            format!("an override of this estate holds for at most {longest}, and {lifetime} is longer"),
            "say a shorter time: an emergency that lasts has time for the usual approvals",
        )
        .into());
    }
    act::refresh(session, &item.fix.repo)?;
    let statement = OverrideStatement {
        fix: item.fix.id.clone(),
        decision: item.decision.id.clone(),
        binding: binding_to_sign(session, &history, &item)?,
        by: signer.identity.clone(),
        at: session.at,
        expires: lifetime.after(session.at),
        reason: wanted.reason.trim().to_owned(),
    };
    let signed = signer.sign(session, statement)?;
    session.ledger.append(OVERRIDE, session.at, &signed)?;
    Ok(signed)
}

/// Signs and records that somebody else looked at every open override of a finding's fix.
///
/// # Errors
/// When none is open, or the signature isn't an approver's, or is of someone who signed one of them or made the fix.
pub fn acknowledge(session: &mut Session, id: &str, signer: &Signer, comment: &str) -> Result<Vec<SignedReview>> {
    let history = session.history()?;
    let finding = find(&history, id)?.id();
    let approvers = approvers(&session.estate.root, &session.estate.config)?;
    let open = open_overrides(&history, &approvers, session.at)?;
    let open: Vec<OpenOverride> = open
        .into_iter()
        .filter(|open| open.findings.contains(&finding))
        .collect();
    if open.is_empty() {
        return Err(BadInput::new(
            format!("no override of `{finding}` is open"),
            "`holdpoint waiting` lists those that are",
        )
        .into());
    }
    if comment.trim().chars().count() < MIN_REASON {
        return Err(BadInput::new(
            "the message says too little",
            "say what you found when you looked at it",
        )
        .into());
    }
    confided::check("message", comment)?;
    let reviewer = approvers.person_of(&signer.identity);
    for one in &open {
        if one.involved.contains(&reviewer) {
            return Err(BadInput::new(
                format!("`{}` had a part in it", signer.identity),
                "someone else has to look at an override: who neither signed it nor made the fix",
            )
            .into());
        }
    }
    let mut reviews = Vec::new();
    for one in open {
        let statement = ReviewStatement {
            of: one.id,
            estate: history.desk.estate.clone().unwrap_or_default(),
            by: signer.identity.clone(),
            at: session.at,
            comment: comment.trim().to_owned(),
        };
        let signed = signer.sign(session, statement)?;
        session.ledger.append(REVIEW, session.at, &signed)?;
        reviews.push(signed);
    }
    Ok(reviews)
}

/// Overrides that nobody has looked at: used or not, expired or not.
///
/// # Errors
/// When a statement can't be written as JSON.
pub fn open_overrides(history: &History, approvers: &Approvers, clock: Timestamp) -> Result<Vec<OpenOverride>> {
    let now = history.desk.now(clock);
    let mut open = Vec::new();
    for (fix_id, overrides) in &history.desk.overrides {
        for one in overrides {
            // Whatever became of the signer since: taking them out of the approvers file closes nothing.
            if is_signed(&one.signed).is_err() {
                continue;
            }
            let statement = &one.signed.statement;
            let id = Digest::of_json(statement)?;
            let fix = history.fixes.get(fix_id);
            let mut involved = fix.map(|fix| super::count::authors(approvers, fix)).unwrap_or_default();
            // Everyone who signed an override of this fix, not only of this one.
            involved.extend(
                overrides
                    .iter()
                    .map(|other| approvers.person_of(&other.signed.statement.by)),
            );
            let estate = history.desk.estate.as_deref().unwrap_or_default();
            if history
                .desk
                .reviews
                .iter()
                .any(|review| reviews(review, &id, estate, approvers, &involved, one))
            {
                continue;
            }
            let findings = history.findings.values().filter(|finding| {
                fix.is_some_and(|fix| {
                    finding.repo == fix.repo
                        && finding.branch == fix.target_branch
                        && fix.resolves.contains(&finding.finding.fingerprint)
                })
            });
            open.push(OpenOverride {
                id,
                findings: findings.map(holdpoint_schemas::finding::RepoFinding::id).collect(),
                title: fix.map(|fix| fix.title.clone()).unwrap_or_default(),
                repo: statement.binding.repo.clone(),
                branch: statement.binding.target_branch.clone(),
                by: statement.by.clone(),
                reason: statement.reason.clone(),
                at: statement.at,
                expires: statement.expires,
                holds: statement.expires > now && !history.merges.contains_key(fix_id),
                merged: history.merges.get(fix_id).map(|merge| merge.commit.clone()),
                involved,
            });
        }
    }
    Ok(open)
}

fn reviews(
    review: &OnRecord<SignedReview>,
    id: &Digest,
    estate: &str,
    approvers: &Approvers,
    involved: &BTreeSet<String>,
    of: &OnRecord<SignedOverride>,
) -> bool {
    let statement = &review.signed.statement;
    // As of when it was recorded: a reviewer may leave, and keeps having looked.
    statement.of == *id
        && statement.estate == estate
        && review.seq > of.seq
        && verify(&review.signed, approvers, review.recorded).is_ok_and(|reviewer| !involved.contains(&reviewer.person))
}
