//! Fixes and findings are many to many: which fix speaks for a finding, and how far a fix may go.

use anyhow::Result;
use holdpoint_engine::decide;
use holdpoint_schemas::decision::{Bound, BoundKind, Decision};
use holdpoint_schemas::evidence::EvidenceRecord;
use holdpoint_schemas::{Digest, Level};
use std::collections::{BTreeMap, BTreeSet};

use super::history::History;
use super::plan::Pair;

/// Id of the bound of a fix that also resolves a finding of a lower level.
pub const OTHER_FINDING: &str = "other-finding";
/// Id of the bound of a fix that a person said no to.
pub const DECLINED: &str = "declined";

/// A decision with the evidence that it rests on.
pub type Released = (Decision, Option<EvidenceRecord>);

/// A fix takes the lowest level of the findings that it resolves.
pub fn lower_to_the_fix(pairs: &[Pair], released: &mut [Released]) -> Result<()> {
    let mut lowest: BTreeMap<Digest, (Level, String)> = BTreeMap::new();
    for (pair, (decision, _)) in pairs.iter().zip(released.iter()) {
        let Some(fix) = &pair.fix else { continue };
        let entry = lowest
            .entry(fix.id.clone())
            .or_insert_with(|| (decision.level, pair.finding.id()));
        if decision.level < entry.0 {
            *entry = (decision.level, pair.finding.id());
        }
    }
    for (pair, (decision, _)) in pairs.iter().zip(released.iter_mut()) {
        let Some((level, because)) = pair.fix.as_ref().and_then(|fix| lowest.get(&fix.id)) else {
            continue;
        };
        if *level < decision.level {
            let reason = format!("The fix also resolves `{because}`, whose level is {level}");
            lower(decision, *level, OTHER_FINDING, reason)?;
        }
    }
    Ok(())
}

/// A human's no holds when what held the fix back is gone.
pub fn lower_what_was_declined(pairs: &[Pair], history: &History, released: &mut [Released]) -> Result<()> {
    for (pair, (decision, _)) in pairs.iter().zip(released.iter_mut()) {
        if decision.level == Level::AutoApply
            && let Some(no) = pair.fix.as_ref().and_then(|fix| history.declined(fix))
        {
            let reason = format!("{} declined it on {}", no.by, no.at);
            lower(decision, Level::Suggest, DECLINED, reason)?;
        }
    }
    Ok(())
}

fn lower(decision: &mut Decision, level: Level, id: &str, reason: String) -> Result<()> {
    decision.bounds.push(Bound {
        withholds: decision.level,
        kind: BoundKind::Policy,
        id: id.to_owned(),
        reason,
        facts: Vec::new(),
        unknowns: Vec::new(),
        unlock: None,
    });
    decision.level = level;
    decision.id = decide::decision_id(decision)?;
    Ok(())
}

/// Which pair speaks for a finding.
pub struct Chosen {
    /// Index of the pair.
    pub best: usize,
    /// Whether it is the first finding of this fix: the fix is acted on once.
    pub first_of_fix: bool,
}

/// A wanted finding promotes its highest-level fix; tie: fewest files, then the fix's id.
pub fn choose(pairs: &[Pair], released: &[Released], wanted: &BTreeSet<String>) -> BTreeMap<String, Chosen> {
    let mut chosen: BTreeMap<String, Chosen> = BTreeMap::new();
    let rank = |index: usize| {
        let level = released
            .get(index)
            .map(|(decision, _)| std::cmp::Reverse(decision.level));
        let fix = pairs.get(index).and_then(|pair| pair.fix.as_ref());
        (level, fix.map(|fix| fix.files.len()), fix.map(|fix| fix.id.clone()))
    };
    let is_wanted = |(_, pair): &(usize, &Pair)| wanted.contains(&pair.finding.id());
    for (index, pair) in pairs.iter().enumerate().filter(is_wanted) {
        let entry = chosen.entry(pair.finding.id()).or_insert(Chosen {
            best: index,
            first_of_fix: true,
        });
        if rank(index) < rank(entry.best) {
            entry.best = index;
        }
    }
    let mut seen = BTreeSet::new();
    for choice in chosen.values_mut() {
        if let Some(fix) = pairs.get(choice.best).and_then(|pair| pair.fix.as_ref()) {
            choice.first_of_fix = seen.insert(fix.id.clone());
        }
    }
    chosen
}
