//! What a pack says of recorded facts, as far as the lane lets it.

use holdpoint_engine::decide::{Assessment, assess};
use holdpoint_engine::policy::Pack;
use holdpoint_schemas::Level;
use holdpoint_schemas::decision::Phase;
use holdpoint_schemas::evidence::Check;
use holdpoint_schemas::fact::{Action, Fact, FactSet, FactType, FactValue};
use std::collections::BTreeSet;

use super::Recorded;

/// Approvers that are supposed when it is asked what a go would do.
const SUPPOSED_APPROVERS: i64 = 2;

/// An answer of one pack.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) level: Level,
    /// Whether it would be promoted if people approved.
    pub(super) promote: bool,
    /// Whether it would be promoted with the approvals on record.
    pub(super) promote_without_approval: bool,
    /// Ids of what withholds a level or the promotion.
    pub(super) withheld_by: BTreeSet<String>,
    pub(super) permitted_by: BTreeSet<String>,
}

impl Answer {
    pub(super) fn of(pack: &Pack, recorded: &Recorded, facts: &FactSet, stage: Level) -> Self {
        if recorded.decision.fix.is_none() {
            return Self::nothing_to_apply();
        }
        let mut facts = facts.clone();
        if recorded.decision.phase == Phase::Triage {
            // Before evidence a decision is about what is still possible: so is its replay.
            suppose_evidence(pack, &mut facts);
        }
        let plain = assess(pack, &facts);
        let level = plain.level.min(stage);
        suppose_approval(pack, &mut facts);
        let approved = assess(pack, &facts);
        let may = |assessment: &Assessment| level >= Level::Suggest && assessment.promote_bounds.is_empty();
        let bounds = plain.bounds.iter().chain(&approved.promote_bounds);
        Self {
            level,
            promote: may(&approved),
            promote_without_approval: may(&plain),
            withheld_by: bounds.map(|bound| bound.id.clone()).collect(),
            permitted_by: plain.permitted_by.into_iter().collect(),
        }
    }

    const fn nothing_to_apply() -> Self {
        Self {
            level: Level::Alert,
            promote: false,
            promote_without_approval: false,
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
            facts.insert(check.fact_id(), supposed((*best).into()));
        }
    }
}

/// All that a go says, where nothing of it is on record.
fn suppose_approval(pack: &Pack, facts: &mut FactSet) {
    let rows = pack.fact_table().rows();
    for row in rows.filter(|row| row.actions == [Action::Promote]) {
        match row.fact_type {
            FactType::Bool => facts.insert(row.id, supposed(true.into())),
            FactType::Long => facts.insert(row.id, supposed(SUPPOSED_APPROVERS.into())),
            FactType::Word(_) | FactType::Text | FactType::Set => {}
        }
    }
}

fn supposed(value: FactValue) -> Fact {
    Fact {
        value,
        source: "supposed".to_owned(),
        observed_at: holdpoint_schemas::Timestamp::UNIX_EPOCH,
        note: None,
    }
}
