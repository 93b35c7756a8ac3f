//! Merging what was approved.

use anyhow::Result;
use holdpoint_engine::decide::{self, Question};
use holdpoint_schemas::Digest;
use holdpoint_schemas::decision::{Bound, Permission};
use holdpoint_schemas::fact::FactSet;

use super::count::Counted;
use super::waiting::{Waiting, waiting};
use super::{EMERGENCY, UNAPPROVED, binding, with_ballot};
use crate::pipeline::act;
use crate::pipeline::facts::without_evidence;
use crate::pipeline::history::History;
use crate::pipeline::record::{MergeRecord, PERMISSION, PermissionRecord};
use crate::pipeline::session::Session;

/// How a promotion ended.
pub enum Promotion {
    /// Merged.
    Done {
        /// What was done.
        record: Box<MergeRecord>,
        /// Whether it took an emergency override: somebody else has to look at it.
        overridden: bool,
    },
    /// Held, and why.
    Held(Vec<String>),
}

/// What people's words come to.
pub struct Standing {
    /// What counts.
    pub counted: Counted,
    /// Whether it may be merged.
    pub permission: Permission,
    /// What was known when that was asked.
    pub facts: FactSet,
    /// Digest of the lanes with their stages.
    pub rollout: Digest,
    /// Digest of what was withheld from outside of policies.
    pub caps: Digest,
}

/// Counts what people said and asks the third action: without the overrides on record, and only if that isn't
/// enough with them.
///
/// # Errors
/// When the approvers can't be read.
pub fn standing(session: &Session, history: &History, item: &Waiting) -> Result<Standing> {
    let now = binding(session, history, item)?;
    with_ballot(session, history, item, &now, |ballot| {
        let ask = |counted: Counted| -> Result<Standing> {
            let (mut facts, service) = session.facts(history, &item.finding, Some(&item.fix));
            ballot.insert(&counted, &mut facts);
            let facts = without_evidence(&facts);
            let caps = session.caps(&item.finding, Some(&item.fix), &facts);
            let question = Question {
                finding: &item.finding,
                service: &service,
                fix: Some(&item.fix),
                facts: &facts,
                evidence: item.evidence.as_ref().map(|record| &record.evidence),
                rollout: &session.standing.effective,
                caps: &caps,
                now: session.at,
            };
            session.asked.note(&question)?;
            let permission = decide::may_promote(&session.estate.pack, &question)?;
            Ok(Standing {
                permission,
                counted,
                rollout: Digest::of_json(question.rollout)?,
                caps: Digest::of_json(&question.caps)?,
                facts,
            })
        };
        let plain = ask(ballot.count())?;
        if plain.permission.permitted || !history.desk.overrides.contains_key(&item.fix.id) {
            return Ok(plain);
        }
        ask(ballot.count_emergency(&plain.counted))
    })?
}

/// Merges an approved fix: verifies every approval again, asks the third action, and moves the
/// branch to exactly the tested tree.
///
/// # Errors
/// When the item doesn't wait, or the remote or ledger can't be written.
pub fn promote(session: &mut Session, id: &str) -> Result<Promotion> {
    let history = session.history()?;
    let item = waiting(&history, id)?;
    if let Some(why) = item.too_late(session, &history) {
        return Ok(Promotion::Held(vec![why]));
    }
    act::refresh(session, &item.fix.repo)?;
    session.stand(&history);
    let Standing {
        counted,
        permission,
        facts,
        rollout,
        caps,
    } = standing(session, &history, &item)?;
    // Nobody's word, nobody's merge: whatever a pack permits.
    if counted.voices.is_empty() {
        let mut why = counted.refused;
        if why.is_empty() {
            why.push(UNAPPROVED.to_owned());
        }
        return Ok(Promotion::Held(why));
    }
    let record = PermissionRecord {
        fix: item.fix.id.clone(),
        decision: item.decision.id.clone(),
        policies: session.estate.pack.digest().clone(),
        schema: session.estate.pack.schema_digest().clone(),
        rollout,
        caps,
        facts,
        at: session.at,
        permission: permission.clone(),
    };
    session.record_inputs()?;
    session.record_asked(&record.rollout, &record.caps)?;
    session.recorder().append_new(PERMISSION, [&record])?;
    if !permission.permitted {
        let bounds = permission.bounds.into_iter().map(|bound: Bound| bound.reason);
        return Ok(Promotion::Held(bounds.chain(counted.refused).collect()));
    }
    let Some(evidence) = &item.evidence else {
        return Ok(Promotion::Held(vec!["no evidence is on record for it".to_owned()]));
    };
    let mut by = counted.names().join(", ");
    if counted.emergency {
        by.push_str(EMERGENCY);
    }
    session.take_room(&item.finding, &item.fix, &item.decision)?;
    match act::merge(session, &item.finding, &item.fix, &item.decision, evidence, &by)? {
        Some(record) => Ok(Promotion::Done {
            record: Box::new(record),
            overridden: counted.emergency,
        }),
        None => Ok(Promotion::Held(vec![format!(
            "{}; `holdpoint run` tests it on the new base",
            act::BASE_MOVED
        )])),
    }
}
