//! The decision: how far, what kept it from being higher, and what would unlock the next level.

mod assess;
mod bounds;
mod facts;
mod triage;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use holdpoint_schemas::actor::Remediator;
use holdpoint_schemas::decision::{Bound, BoundKind, Cap, Decision, InputDigests, Permission, Phase};
use holdpoint_schemas::evidence::{Check, Evidence};
use holdpoint_schemas::fact::{Action, FactSet, FactValue};
use holdpoint_schemas::finding::RepoFinding;
use holdpoint_schemas::fix::Fix;
use holdpoint_schemas::rollout::Rollout;
use holdpoint_schemas::service::ServiceId;
use holdpoint_schemas::{Digest, Level, Timestamp};

pub use assess::{Assessment, assess};
use bounds::Denied;

use crate::EngineError;
use crate::policy::{Answer, Asker, Pack, PolicyInfo};
use crate::rollout::lane_for;

/// All that a decision on one (fix, finding) pair rests on, besides the pack.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// The finding.
    pub finding: &'a RepoFinding,
    /// The service that is decided on; its id is `unknown` when no catalogue knows it.
    pub service: &'a ServiceId,
    /// The candidate fix, if there is one.
    pub fix: Option<&'a Fix>,
    /// What is known. Facts of the `evidence` family are taken from [`Self::evidence`] only; any in
    /// here are dropped. Stale facts are made unknown at [`Self::now`].
    pub facts: &'a FactSet,
    /// What the checks found out so far; a check that isn't in it hasn't run.
    pub evidence: Option<&'a Evidence>,
    /// Lanes and the stages that they have now ([`RolloutState::effective`](crate::rollout::RolloutState::effective)).
    pub rollout: &'a Rollout,
    /// What withholds a level besides policies and the lane's stage: halts, shadow, canary, soak, windows, budgets.
    pub caps: &'a [Cap],
    /// The injected clock.
    pub now: Timestamp,
}

/// What triage says: how far it could still go, and what must be checked to find out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Triage {
    /// The decision if every pending check gave its best value.
    pub decision: Decision,
    /// The fewest and cheapest checks whose best values keep that level, in running order. Empty
    /// when the level is alert: then nothing that a check finds can raise it.
    pub checks: Vec<Check>,
}

/// Decides before evidence: each check that hasn't run counts with the best value that it can have.
///
/// # Errors
/// When an input can't be written as JSON.
pub fn triage(pack: &Pack, question: &Question<'_>) -> Result<Triage, EngineError> {
    let (verdict, checks) = triage::plan(pack, question);
    // The record holds what is known, not what was assumed.
    let known = facts::with_evidence(pack, question, facts::Pending::Unknown);
    Ok(Triage {
        decision: record(pack, question, Phase::Triage, verdict, known)?,
        checks,
    })
}

/// Decides with the evidence gathered: a check that didn't run is unknown.
///
/// # Errors
/// When an input can't be written as JSON.
pub fn release(pack: &Pack, question: &Question<'_>) -> Result<Decision, EngineError> {
    with_evidence(pack, question, Phase::Release)
}

/// Decides again at the moment of merge, with the facts of that moment and the evidence gathered.
///
/// # Errors
/// When an input can't be written as JSON.
pub fn merge_gate(pack: &Pack, question: &Question<'_>) -> Result<Decision, EngineError> {
    with_evidence(pack, question, Phase::Merge)
}

fn with_evidence(pack: &Pack, question: &Question<'_>, phase: Phase) -> Result<Decision, EngineError> {
    let facts = facts::with_evidence(pack, question, facts::Pending::Unknown);
    let verdict = decide(pack, question, &facts);
    record(pack, question, phase, verdict, facts)
}

/// Whether a suggested fix may be merged now that a human said go: the action `promote`, whose facts
/// hold the approval (`approval.*`). An approval never raises a level, so what is only an alert by
/// now isn't promoted either: its bounds withhold [`Level::Suggest`]. What withholds just the merge is
/// told as withholding [`Level::AutoApply`].
///
/// # Errors
/// Never so far; the signature leaves room for what later gates need.
pub fn may_promote(pack: &Pack, question: &Question<'_>) -> Result<Permission, EngineError> {
    let facts = facts::with_evidence(pack, question, facts::Pending::Unknown);
    let mut bounds = decide(pack, question, &facts).bounds;
    bounds.retain(|bound| bound.withholds == Level::Suggest);
    bounds.extend(promotion(pack, asker(question), &facts).bounds);
    Ok(Permission {
        action: Action::Promote,
        permitted: bounds.is_empty(),
        bounds: bounds::lowest_first(bounds),
    })
}

/// Digest of the values of the facts that an approval is bound to (`Binding::facts`): those that
/// the `promote` policies read, without the approval itself, the track record, and the evidence,
/// which `Binding::evidence` binds whole. Unknown counts as a value, so that learning voids too.
///
/// # Errors
/// When the values can't be written as JSON.
pub fn binding_facts_digest(pack: &Pack, facts: &FactSet) -> Result<Digest, EngineError> {
    const BOUND_ELSEWHERE: [&str; 3] = ["approval.", "history.", "evidence."];
    let ids = pack
        .facts_read(Action::Promote)
        .into_iter()
        .filter(|id| !BOUND_ELSEWHERE.iter().any(|family| id.starts_with(family)));
    Ok(facts.digest_of(ids)?)
}

/// The id that a decision must have: the digest of the record with an empty id.
///
/// # Errors
/// When the record can't be written as JSON.
pub fn decision_id(decision: &Decision) -> Result<Digest, EngineError> {
    let mut record = serde_json::to_value(decision)?;
    if let Some(fields) = record.as_object_mut() {
        fields.insert("id".to_owned(), serde_json::Value::String(String::new()));
    }
    Ok(Digest::of_json(&record)?)
}

/// A level with what withholds the higher ones and what permits it.
#[derive(Debug)]
struct Verdict {
    level: Level,
    bounds: Vec<Bound>,
    permitted_by: Vec<PolicyInfo>,
}

impl Verdict {
    const fn alert(bounds: Vec<Bound>) -> Self {
        Self {
            level: Level::Alert,
            bounds,
            permitted_by: Vec::new(),
        }
    }
}

/// The highest level up to the lane's stage and below what is withheld that Cedar permits.
fn decide(pack: &Pack, question: &Question<'_>, facts: &FactSet) -> Verdict {
    if question.fix.is_none() {
        return Verdict::alert(vec![bounds::no_fix(Level::Suggest)]);
    }
    let asker = asker(question);
    let lane = lane_for(question.rollout, facts, asker.remediator);
    let withheld = question
        .caps
        .iter()
        .map(|cap| cap.withholds.previous().unwrap_or(Level::Alert));
    let stage = withheld.fold(lane.stage, Level::min);
    let mut verdict = up_to(stage, pack, asker, facts);
    let failed = verdict
        .bounds
        .iter()
        .any(|bound| bound.kind == BoundKind::EvaluationError);
    if failed {
        return verdict;
    }
    if let Some(withheld) = lane.stage.next() {
        verdict.bounds.push(bounds::rollout_stage(pack, &lane, withheld, facts));
    }
    verdict.bounds.extend(question.caps.iter().map(bounds::cap));
    verdict.bounds = bounds::lowest_first(verdict.bounds);
    verdict
}

/// The highest level up to `stage` that Cedar permits, with what it withholds.
fn up_to(stage: Level, pack: &Pack, asker: Asker<'_>, facts: &FactSet) -> Verdict {
    let mut bounds: Vec<Bound> = Vec::new();
    let mut decided = None;
    for (level, action) in [(Level::AutoApply, Action::AutoApply), (Level::Suggest, Action::Suggest)] {
        match pack.evaluate(action, &asker, facts) {
            Answer::Permitted(policies) if level <= stage => {
                decided = Some((level, policies));
                break;
            }
            Answer::Permitted(_) => {}
            Answer::Denied(policies) => bounds.extend(
                Denied {
                    pack,
                    asker,
                    action,
                    facts,
                }
                .bounds(&policies, level),
            ),
            Answer::Failed(errors) => return Verdict::alert(bounds::failed(&errors, Level::Suggest)),
        }
    }
    let (level, permits) = decided.unwrap_or((Level::Alert, Vec::new()));
    bounds.retain(|bound| bound.withholds > level);
    Verdict {
        level,
        bounds: bounds::lowest_first(bounds),
        permitted_by: permits.into_iter().cloned().collect(),
    }
}

/// What withholds the merge that a human said go to, and what permits it.
struct Promotion {
    bounds: Vec<Bound>,
    permitted_by: Vec<PolicyInfo>,
}

fn promotion(pack: &Pack, asker: Asker<'_>, facts: &FactSet) -> Promotion {
    let action = Action::Promote;
    let (bounds, permits) = match pack.evaluate(action, &asker, facts) {
        Answer::Permitted(policies) => (Vec::new(), policies),
        Answer::Denied(policies) => {
            let denied = Denied {
                pack,
                asker,
                action,
                facts,
            };
            (denied.bounds(&policies, Level::AutoApply), Vec::new())
        }
        Answer::Failed(errors) => (bounds::failed(&errors, Level::AutoApply), Vec::new()),
    };
    Promotion {
        bounds,
        permitted_by: permits.into_iter().cloned().collect(),
    }
}

fn asker<'a>(question: &Question<'a>) -> Asker<'a> {
    static NONE: LazyLock<Remediator> = LazyLock::new(Remediator::none);
    Asker {
        remediator: question.fix.map_or(&NONE, |fix| &fix.remediator),
        service: question.service,
    }
}

fn record(
    pack: &Pack,
    question: &Question<'_>,
    phase: Phase,
    verdict: Verdict,
    facts: FactSet,
) -> Result<Decision, EngineError> {
    let inputs = InputDigests {
        policies: pack.digest().clone(),
        schema: pack.schema_digest().clone(),
        facts: facts_digest(&facts)?,
        diff: question.fix.map(|fix| fix.diff.clone()),
        base: question.fix.map(|fix| fix.base_commit.clone()),
        tree: question.fix.map(|fix| fix.candidate_tree.clone()),
        evidence: question.evidence.map(Digest::of_json).transpose()?,
        rollout: Digest::of_json(question.rollout)?,
        caps: Digest::of_json(&question.caps)?,
    };
    let mut decision = Decision {
        id: Digest::of_bytes(&[]),
        finding: question.finding.finding.fingerprint.clone(),
        repo: question.finding.repo.clone(),
        branch: question.finding.branch.clone(),
        service: question.service.clone(),
        fix: question.fix.map(|fix| fix.id.clone()),
        remediator: asker(question).remediator.clone(),
        phase,
        level: verdict.level,
        bounds: verdict.bounds,
        permitted_by: verdict.permitted_by.into_iter().map(|policy| policy.reason).collect(),
        facts,
        at: question.now,
        inputs,
    };
    decision.id = decision_id(&decision)?;
    Ok(decision)
}

/// Values of all known facts but the approval's: an approval is no input of a level.
fn facts_digest(facts: &FactSet) -> Result<Digest, EngineError> {
    let values: BTreeMap<&str, &FactValue> = facts
        .known()
        .filter(|(id, _)| !id.starts_with("approval."))
        .map(|(id, fact)| (id, &fact.value))
        .collect();
    Ok(Digest::of_json(&values)?)
}

#[cfg(test)]
pub(crate) mod tests;
