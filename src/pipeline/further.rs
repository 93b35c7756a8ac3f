//! What would take an item further, worked out with the estate's policies.

use holdpoint_engine::counterfactual::{Limits, Ways, ways};
use holdpoint_engine::policy::Pack;
use holdpoint_schemas::Level;
use holdpoint_schemas::decision::Decision;
use holdpoint_schemas::fact::{Action, FactTable};

use super::report::ReportItem;

/// One way is enough beside everything else that a report shows, and a run has many items.
const ONE_WAY: Limits = Limits {
    sets: 1,
    questions: 60,
    tries: 5_000,
};

/// What would take an item further.
#[derive(Debug, Clone)]
pub struct Further {
    /// To a merge by a person's go, where that is the next step; then to the next level.
    pub ways: Vec<Ways>,
    /// Whether the policies are those that it was decided by; else the ways are by today's.
    pub same_policies: bool,
    /// The facts that the policies know, with who could supply each.
    pub table: FactTable,
}

impl Further {
    /// Works out the ways of an item. None for what may merge by itself, and without a fix.
    #[must_use]
    pub fn of(pack: &Pack, item: &ReportItem) -> Self {
        let decision = &item.decision;
        let targets: &[Action] = match decision.level {
            _ if item.fix.is_none() => &[],
            Level::Alert => &[Action::Suggest],
            Level::Suggest => &[Action::Promote, Action::AutoApply],
            Level::AutoApply => &[],
        };
        Self {
            ways: targets
                .iter()
                .map(|target| ways(pack, &decision.facts, *target, Limits::default()))
                .collect(),
            same_policies: decision.inputs.policies == *pack.digest()
                && decision.inputs.schema == *pack.schema_digest(),
            table: pack.fact_table().clone(),
        }
    }
}

/// The easiest way to the next level, for reports.
#[must_use]
pub fn best_way(pack: &Pack, decision: &Decision) -> Option<Ways> {
    let target = match decision.level {
        _ if decision.fix.is_none() => return None,
        Level::Alert => Action::Suggest,
        Level::Suggest => Action::AutoApply,
        Level::AutoApply => return None,
    };
    let ways = ways(pack, &decision.facts, target, ONE_WAY);
    (!ways.sets.is_empty()).then_some(ways)
}
