//! Whether recorded decisions follow from what they rest on: each is made again from the record, by the same engine,
//! and must come out byte for byte the same.

use holdpoint_engine::decide::{self, Question};
use holdpoint_engine::policy::{Pack, PolicySource};
use holdpoint_intake::estate::read_org_facts;
use holdpoint_ledger::bundle::{Checked, Part};
use holdpoint_schemas::Digest;
use holdpoint_schemas::decision::{Bound, BoundKind, Cap, Decision, Phase};
use holdpoint_schemas::fact::FactSet;
use holdpoint_schemas::fix::Fix;
use holdpoint_schemas::rollout::Rollout;
use std::collections::BTreeMap;

use super::story::{Story, Told};
use crate::pipeline::choose::{DECLINED, OTHER_FINDING};
use crate::pipeline::inputs::{PoliciesRecord, SchemaRecord};
use crate::pipeline::record::PermissionRecord;
use crate::pipeline::redact::is_redacted;

/// Why a decision isn't what it should be.
#[derive(Clone)]
enum Refusal {
    /// It doesn't follow from what it rests on.
    Differs(String),
    /// Something that it rests on isn't there, or is of another version.
    Unclear(String),
}

use Refusal::{Differs, Unclear};

/// Makes every decision and permission of a story again.
pub fn decisions(story: &Story) -> Checked {
    let mut packs = Packs::default();
    let mut same = Vec::new();
    let mut refused = Vec::new();
    for told in &story.decisions {
        let decision = &told.record;
        match replay(story, told, &mut packs) {
            Ok(()) => same.push(format!("{} ({})", decision.level, decision.phase.as_str())),
            Err(refusal) => refused.push((format!("the decision in entry {}", told.seq), refusal)),
        }
    }
    for told in &story.permissions {
        match replay_permission(story, told, &mut packs) {
            Ok(true) => same.push("promotion permitted".to_owned()),
            Ok(false) => same.push("promotion withheld".to_owned()),
            Err(refusal) => refused.push((format!("the permission in entry {}", told.seq), refusal)),
        }
    }
    let says = match same.as_slice() {
        [] => "made again from their policies, facts and evidence".to_owned(),
        same => format!(
            "{} made again from policies, facts and evidence, byte for byte: {}",
            same.len(),
            same.join(", ")
        ),
    };
    let mut checked = Checked::passed(Part::Decisions, says);
    for (which, refusal) in refused {
        match refusal {
            Differs(why) => checked.fail(format!("{which}: {why}")),
            Unclear(why) => checked.unclear(format!("{which} can't be made again: {why}")),
        }
    }
    checked
}

fn replay(story: &Story, told: &Told<Decision>, packs: &mut Packs) -> Result<(), Refusal> {
    let decision = &told.record;
    let id = decide::decision_id(decision).map_err(|error| Differs(error.to_string()))?;
    if id != decision.id {
        return Err(Differs("its id is not that of its content".to_owned()));
    }
    let pack = packs.of(story, &decision.inputs.policies, &decision.inputs.schema, told.seq)?;
    let made = decide_again(story, told, pack)?;
    if let Some(fix) = story.fix_of(told).map(|told| &told.record)
        && Digest::of_bytes(fix.diff_text.as_bytes()) != fix.diff
        && !is_redacted(&fix.diff_text)
    {
        return Err(Differs("the diff is not the one of its digest".to_owned()));
    }
    if made == *decision {
        return Ok(());
    }
    Err(Differs(difference(decision, &made)))
}

fn decide_again(story: &Story, told: &Told<Decision>, pack: &Pack) -> Result<Decision, Refusal> {
    let decision = &told.record;
    let facts = decision.facts.clone();
    let parts = Parts::of(story, told, &facts)?;
    let question = parts.question(told.record.at);
    let failed = |error: holdpoint_engine::EngineError| Differs(format!("it can't be made: {error}"));
    let mut made = match decision.phase {
        Phase::Triage => decide::triage(pack, &question).map_err(failed)?.decision,
        Phase::Release => decide::release(pack, &question).map_err(failed)?,
        Phase::Merge => decide::merge_gate(pack, &question).map_err(failed)?,
    };
    // What lowers a decision besides policies is on record in it. It can only lower, so it is taken as it is.
    for bound in decision.bounds.iter().filter(|bound| is_lowering(bound, pack)) {
        if made.level != bound.withholds {
            return Err(Differs(format!(
                "it says that `{}` lowered it from {}, and without that it is {}",
                bound.id, bound.withholds, made.level
            )));
        }
        made.level = decision.level.min(made.level);
        made.bounds.push(bound.clone());
    }
    made.id = decide::decision_id(&made).map_err(failed)?;
    Ok(made)
}

/// Whether a bound is one that isn't the pack's: another finding of the same fix, or a person's no.
fn is_lowering(bound: &Bound, pack: &Pack) -> bool {
    bound.kind == BoundKind::Policy
        && [OTHER_FINDING, DECLINED].contains(&bound.id.as_str())
        && pack.policy(&bound.id).is_none()
}

fn replay_permission(story: &Story, told: &Told<PermissionRecord>, packs: &mut Packs) -> Result<bool, Refusal> {
    let record = &told.record;
    let decision = story
        .decision(&record.decision)
        .ok_or_else(|| Unclear("the decision that it is about isn't there".to_owned()))?;
    let pack = packs.of(story, &record.policies, &record.schema, told.seq)?;
    let parts = Parts {
        rollout: rollout(story, &record.rollout, told.seq)?,
        caps: caps(story, &record.caps, told.seq)?,
        ..Parts::of(story, decision, &record.facts)?
    };
    let made = decide::may_promote(pack, &parts.question(record.at))
        .map_err(|error| Differs(format!("it can't be made: {error}")))?;
    if made != record.permission {
        let word = |permitted| if permitted { "permitted" } else { "withheld" };
        return Err(Differs(format!(
            "made again it is {}, and on record it is {}{}",
            word(made.permitted),
            word(record.permission.permitted),
            withheld(&made.bounds)
        )));
    }
    Ok(made.permitted)
}

/// What a question is about.
struct Parts<'a> {
    finding: &'a holdpoint_schemas::finding::RepoFinding,
    service: &'a holdpoint_schemas::service::ServiceId,
    fix: Option<&'a Fix>,
    facts: &'a FactSet,
    evidence: Option<&'a holdpoint_schemas::evidence::Evidence>,
    rollout: &'a Rollout,
    caps: &'a [Cap],
}

impl<'a> Parts<'a> {
    fn of(story: &'a Story, told: &'a Told<Decision>, facts: &'a FactSet) -> Result<Self, Refusal> {
        let decision = &told.record;
        let fix = match &decision.fix {
            None => None,
            Some(_) => Some(&story.fix_of(told).ok_or_else(|| missing("fix"))?.record),
        };
        let evidence = match &decision.inputs.evidence {
            None => None,
            Some(_) => Some(&story.evidence_of(told).ok_or_else(|| missing("evidence"))?.record),
        };
        Ok(Self {
            finding: &story.finding_of(decision).ok_or_else(|| missing("finding"))?.record,
            service: &decision.service,
            fix,
            facts,
            evidence: evidence.map(|entry| &entry.record.evidence),
            rollout: rollout(story, &decision.inputs.rollout, told.seq)?,
            caps: caps(story, &decision.inputs.caps, told.seq)?,
        })
    }

    fn question(&self, now: holdpoint_schemas::Timestamp) -> Question<'a> {
        Question {
            finding: self.finding,
            service: self.service,
            fix: self.fix,
            facts: self.facts,
            evidence: self.evidence,
            rollout: self.rollout,
            caps: self.caps,
            now,
        }
    }
}

fn rollout<'a>(story: &'a Story, digest: &Digest, seq: u64) -> Result<&'a Rollout, Refusal> {
    Ok(&story
        .rollout_at(digest, seq)
        .ok_or_else(|| missing("rollout"))?
        .record
        .rollout)
}

fn caps<'a>(story: &'a Story, digest: &Digest, seq: u64) -> Result<&'a [Cap], Refusal> {
    if Digest::of_json::<[Cap; 0]>(&[]).ok().as_ref() == Some(digest) {
        return Ok(&[]);
    }
    Ok(&story
        .caps_at(digest, seq)
        .ok_or_else(|| missing("list of caps"))?
        .record
        .caps)
}

fn missing(what: &str) -> Refusal {
    Unclear(format!("the {what} that it rests on isn't in the bundle"))
}

/// What differs between a recorded decision and the one that was made again, for people.
fn difference(recorded: &Decision, made: &Decision) -> String {
    if recorded.level != made.level {
        return format!(
            "made again it is {}, and on record it is {}{}",
            made.level,
            recorded.level,
            withheld(&made.bounds)
        );
    }
    let parts = [
        ("digests of its inputs", recorded.inputs == made.inputs),
        ("facts", recorded.facts == made.facts),
        ("reasons", recorded.bounds == made.bounds),
        ("permitting policies", recorded.permitted_by == made.permitted_by),
    ];
    let different: Vec<&str> = parts.iter().filter(|(_, same)| !same).map(|(what, _)| *what).collect();
    match different.as_slice() {
        [] => "made again it is another".to_owned(),
        different => format!("made again it has other {}", different.join(" and ")),
    }
}

fn withheld(bounds: &[Bound]) -> String {
    match bounds.first() {
        None => String::new(),
        Some(bound) => format!("; what withholds it is `{}`: {}", bound.id, bound.reason),
    }
}

/// Packs that were compiled from their records, or can't be, by the places of policies and schema: of two schemas with
/// one digest, the one before a decision is that decision's.
#[derive(Default)]
struct Packs(BTreeMap<(u64, u64), Result<Pack, Refusal>>);

impl Packs {
    fn of(&mut self, story: &Story, policies: &Digest, schema: &Digest, seq: u64) -> Result<&Pack, Refusal> {
        let policies = story.policies_at(policies, seq).ok_or_else(|| missing("policies"))?;
        let schema = story.schema_at(schema, seq).ok_or_else(|| missing("schema"))?;
        let compiled = self
            .0
            .entry((policies.seq, schema.seq))
            .or_insert_with(|| compile(&policies.record, &schema.record));
        compiled.as_ref().map_err(Clone::clone)
    }
}

fn compile(policies: &PoliciesRecord, schema: &SchemaRecord) -> Result<Pack, Refusal> {
    if Digest::of_bytes(schema.cedar.as_bytes()) != schema.digest {
        return Err(Differs("the recorded schema is not the one of its digest".to_owned()));
    }
    // Through the reader of `facts.d`, which bounds and checks what others wrote.
    let declared = serde_json::to_string(&serde_json::json!({ "facts": schema.org_facts }))
        .map_err(|error| Differs(error.to_string()))?;
    let table = read_org_facts(&[("the recorded facts of the organisation", &declared)], None)
        .map_err(|error| Differs(error.one_line()))?
        .table;
    if table.cedar_schema() != schema.cedar {
        return Err(Unclear(format!(
            "it was made on other built-in facts than those of holdpoint {}; verify it with the version that the \
             statement names",
            env!("CARGO_PKG_VERSION")
        )));
    }
    let sources: Vec<PolicySource> = policies
        .policies
        .iter()
        .map(|policy| PolicySource {
            path: policy.id.clone(),
            text: policy.text.clone(),
        })
        .collect();
    let pack = Pack::compile(&policies.pack, &sources, &table)
        .map_err(|error| Differs(format!("the recorded policies can't be used: {error}")))?;
    if *pack.digest() != policies.digest {
        return Err(Differs(
            "the recorded policies are not those of their digest".to_owned(),
        ));
    }
    Ok(pack)
}
