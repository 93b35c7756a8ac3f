//! What a pack says of recorded facts, as far as the lane lets it.

use holdpoint_engine::decide::assess;
use holdpoint_engine::policy::{Pack, Said};
use holdpoint_schemas::Level;
use holdpoint_schemas::decision::Phase;
use holdpoint_schemas::evidence::Check;
use holdpoint_schemas::fact::{Action, FactSet, FactValue};
use std::collections::BTreeSet;

use super::Recorded;
use super::approvals::{Approvals, supposed};

/// An answer of one pack.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) level: Level,
    /// Whether it may be merged, by situation.
    pub(super) promotions: Vec<Promotion>,
    /// Ids of what withholds a level.
    pub(super) withheld_by: BTreeSet<String>,
    pub(super) permitted_by: BTreeSet<String>,
}

/// Whether a suggestion may be merged.
#[derive(Debug, Default)]
pub(super) struct Promotion {
    pub(super) is_permitted: bool,
    /// Ids of the policies that withhold it; none when no policy permits it either.
    pub(super) withheld_by: BTreeSet<String>,
}

impl Answer {
    pub(super) fn of(
        pack: &Pack,
        recorded: &Recorded,
        facts: &FactSet,
        stage: Level,
        situations: &[Approvals],
    ) -> Self {
        if recorded.decision.fix.is_none() {
            return Self::nothing_to_apply(situations);
        }
        let mut facts = facts.clone();
        if recorded.decision.phase == Phase::Triage {
            // Before evidence a decision is about what is still possible: so is its replay.
            suppose_evidence(pack, &mut facts);
        }
        let plain = assess(pack, &facts);
        let level = plain.level.min(stage);
        let promotion = |approvals: &Approvals| match pack.says(Action::Promote, &approvals.suppose(&facts)) {
            Said::Permitted(_) => Promotion {
                is_permitted: level >= Level::Suggest,
                withheld_by: BTreeSet::new(),
            },
            Said::Denied(ids) | Said::Failed(ids) => Promotion {
                is_permitted: false,
                withheld_by: ids.into_iter().collect(),
            },
        };
        Self {
            level,
            promotions: situations.iter().map(promotion).collect(),
            withheld_by: plain.bounds.into_iter().map(|bound| bound.id).collect(),
            permitted_by: plain.permitted_by.into_iter().collect(),
        }
    }

    fn nothing_to_apply(situations: &[Approvals]) -> Self {
        Self {
            level: Level::Alert,
            promotions: situations.iter().map(|_| Promotion::default()).collect(),
            withheld_by: BTreeSet::new(),
            permitted_by: BTreeSet::new(),
        }
    }
}

fn suppose_evidence(pack: &Pack, facts: &mut FactSet) {
    for check in Check::ALL {
        let best = pack
            .fact_table()
            .row(check.fact_id())
            .and_then(|row| row.evidence_order.last());
        if let (None, Some(best)) = (facts.get(check.fact_id()), best) {
            facts.insert(check.fact_id(), supposed(FactValue::from(*best)));
        }
    }
}
