//! What another pack would have decided: recorded facts, replayed under both.

mod answer;
mod approvals;
mod recorded;

use holdpoint_engine::policy::Pack;
use holdpoint_engine::rollout::lane_for;
use holdpoint_schemas::fact::{FactSet, FactTable};
use holdpoint_schemas::rollout::Rollout;
use holdpoint_schemas::{Digest, Level};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

use answer::Answer;
use approvals::Approvals;
pub use recorded::{Recorded, recorded};

/// Name of the lane of what no lane takes.
const NO_LANE: &str = "default";

/// What changes, and for whom.
#[derive(Debug, Serialize)]
pub struct Simulation {
    /// The estate's pack.
    pub from: PackName,
    /// The other one.
    pub to: PackName,
    /// How many recorded decisions were replayed.
    pub decisions: usize,
    /// How many would go further: to a higher level, or be merged with fewer or other approvals.
    pub looser: usize,
    /// How many less far.
    pub stricter: usize,
    /// Counts by level, those that stay included.
    pub moves: Vec<Move>,
    /// The same by lane.
    pub lanes: BTreeMap<String, Vec<Move>>,
    /// The same by service.
    pub services: BTreeMap<String, Vec<Move>>,
    /// Each decision that changes, those that go further first.
    pub changed: Vec<Change>,
    /// What the replay couldn't take into account.
    pub notes: Vec<String>,
}

/// A pack, by name and digest.
#[derive(Debug, Serialize)]
pub struct PackName {
    /// Name.
    pub name: String,
    /// Digest of its policies.
    pub digest: Digest,
}

/// How many decisions go from one level to another.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Move {
    /// Under the estate's pack.
    pub from: Level,
    /// Under the other one.
    pub to: Level,
    /// How many.
    pub count: usize,
}

/// Which way a decision goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Further in some way: what a pipeline must notice.
    Looser,
    /// Less far, in no way further.
    Stricter,
}

/// A decision that changes.
#[derive(Debug, Serialize)]
pub struct Change {
    /// Which way.
    pub direction: Direction,
    /// Id of the finding.
    pub finding: String,
    /// What was found.
    pub title: String,
    /// Repo.
    pub repo: String,
    /// Branch.
    pub branch: String,
    /// Service.
    pub service: String,
    /// Lane.
    pub lane: String,
    /// Fix.
    pub fix: Option<Digest>,
    /// Level under the estate's pack.
    pub from: Level,
    /// Level under the other one.
    pub to: Level,
    /// Who must approve before it may be merged: where the packs differ.
    pub promotions: Vec<Promotion>,
    /// Policies that no longer withhold, by id.
    pub lifted: BTreeSet<String>,
    /// Policies that withhold now, by id.
    pub added: BTreeSet<String>,
    /// Policies that permit the new level and didn't the old one, by id.
    pub permitted_by: BTreeSet<String>,
}

/// Whether a suggestion may be merged, where the packs differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Promotion {
    /// With which approvals, in words.
    pub approvals: String,
    /// Under the estate's pack.
    pub from: bool,
    /// Under the other one.
    pub to: bool,
}

/// Replays what was recorded under both packs.
#[must_use]
pub fn simulate(old: &Pack, new: &Pack, rollout: &Rollout, recorded: &[Recorded]) -> Simulation {
    let mut totals = Counts::default();
    let mut lanes: BTreeMap<String, Counts> = BTreeMap::new();
    let mut services: BTreeMap<String, Counts> = BTreeMap::new();
    let mut changed = Vec::new();
    let mut notes = Notes::default();
    let situations = Approvals::situations(&[old, new]);
    for one in recorded {
        let facts = notes.without_lost_facts(one, old.fact_table(), old.schema_digest());
        let lane = lane_for(rollout, &facts, &one.decision.remediator);
        let from = Answer::of(old, one, &facts, lane.stage, &situations);
        let to = Answer::of(new, one, &facts, lane.stage, &situations);
        let lane = lane.lane.unwrap_or_else(|| NO_LANE.to_owned());
        totals.add(from.level, to.level);
        lanes.entry(lane.clone()).or_default().add(from.level, to.level);
        let service = one.decision.service.to_string();
        services.entry(service).or_default().add(from.level, to.level);
        changed.extend(change(one, lane, &situations, &from, &to));
    }
    changed.sort_by(|a, b| {
        (a.direction, &a.service, &a.finding, &a.fix).cmp(&(b.direction, &b.service, &b.finding, &b.fix))
    });
    let number = |direction| changed.iter().filter(|change| change.direction == direction).count();
    Simulation {
        from: name(old),
        to: name(new),
        decisions: recorded.len(),
        looser: number(Direction::Looser),
        stricter: number(Direction::Stricter),
        moves: totals.moves(),
        lanes: lanes.into_iter().map(|(lane, counts)| (lane, counts.moves())).collect(),
        services: services
            .into_iter()
            .map(|(service, counts)| (service, counts.moves()))
            .collect(),
        changed,
        notes: notes.lines(),
    }
}

fn name(pack: &Pack) -> PackName {
    PackName {
        name: pack.name().to_owned(),
        digest: pack.digest().clone(),
    }
}

/// How a decision changes, if it does.
fn change(recorded: &Recorded, lane: String, situations: &[Approvals], from: &Answer, to: &Answer) -> Option<Change> {
    let mut lifted: BTreeSet<String> = from.withheld_by.difference(&to.withheld_by).cloned().collect();
    let mut added: BTreeSet<String> = to.withheld_by.difference(&from.withheld_by).cloned().collect();
    let mut promotions = Vec::new();
    for ((approvals, from), to) in situations.iter().zip(&from.promotions).zip(&to.promotions) {
        if from.is_permitted == to.is_permitted {
            continue;
        }
        lifted.extend(from.withheld_by.difference(&to.withheld_by).cloned());
        added.extend(to.withheld_by.difference(&from.withheld_by).cloned());
        promotions.push(Promotion {
            approvals: approvals.to_string(),
            from: from.is_permitted,
            to: to.is_permitted,
        });
    }
    if to.level == from.level && promotions.is_empty() {
        return None;
    }
    let looser = to.level > from.level || promotions.iter().any(|promotion| promotion.to);
    let decision = &recorded.decision;
    Some(Change {
        direction: if looser { Direction::Looser } else { Direction::Stricter },
        finding: recorded.id.clone(),
        title: recorded.title.clone(),
        repo: decision.repo.clone(),
        branch: decision.branch.clone(),
        service: decision.service.to_string(),
        lane,
        fix: decision.fix.clone(),
        from: from.level,
        to: to.level,
        promotions,
        lifted,
        added,
        permitted_by: to.permitted_by.difference(&from.permitted_by).cloned().collect(),
    })
}

/// Decisions by (from, to).
#[derive(Debug, Default)]
struct Counts(BTreeMap<(Level, Level), usize>);

impl Counts {
    fn add(&mut self, from: Level, to: Level) {
        *self.0.entry((from, to)).or_default() += 1;
    }

    fn moves(self) -> Vec<Move> {
        let moves = self.0.into_iter();
        moves.map(|((from, to), count)| Move { from, to, count }).collect()
    }
}

/// What the replay leaves out.
#[derive(Debug, Default)]
struct Notes {
    other_schema: usize,
    lost: BTreeMap<String, usize>,
}

impl Notes {
    /// The recorded facts that policies can still read.
    fn without_lost_facts(&mut self, recorded: &Recorded, table: &FactTable, schema: &Digest) -> FactSet {
        let mut facts = recorded.decision.facts.clone();
        if recorded.decision.inputs.schema == *schema {
            return facts;
        }
        self.other_schema += 1;
        let fits = |id: &str, fact: &holdpoint_schemas::fact::Fact| {
            table.row(id).is_some_and(|row| row.fact_type.accepts(&fact.value))
        };
        let known = recorded.decision.facts.known();
        for (id, _) in known.filter(|(id, fact)| !fits(id, fact)) {
            facts.insert_unknown(id, "it was recorded under another schema");
            *self.lost.entry(id.to_owned()).or_default() += 1;
        }
        facts
    }

    fn lines(self) -> Vec<String> {
        let mut lines = Vec::new();
        if self.other_schema > 0 {
            lines.push(format!(
                "{} recorded under another schema of facts; what it has no more counts as unknown",
                crate::output::text::count(self.other_schema, "decision was", "decisions were")
            ));
        }
        lines.extend(self.lost.into_iter().map(|(id, number)| {
            let decisions = crate::output::text::count(number, "decision", "decisions");
            format!("`{id}` is no longer such a fact: left out of {decisions}")
        }));
        lines
    }
}

#[cfg(test)]
mod tests;
