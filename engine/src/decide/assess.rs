//! What a pack alone says of some facts: for its tests, its proofs and whoever compares packs.

use holdpoint_schemas::Level;
use holdpoint_schemas::decision::Bound;
use holdpoint_schemas::fact::FactSet;
use serde::Serialize;

use super::bounds::lowest_first;
use super::{promotion, up_to};
use crate::policy::{Asker, Pack, PolicyInfo};

/// What a pack says of some facts, without rollout and clock, given that there is a fix.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Assessment {
    /// How far.
    pub level: Level,
    /// What withholds each higher level, lowest level first.
    pub bounds: Vec<Bound>,
    /// Ids of the policies that permit the level; empty for an alert.
    pub permitted_by: Vec<String>,
    /// What withholds promotion, that is, the third action; empty when it is permitted.
    pub promote_bounds: Vec<Bound>,
    /// Ids of the policies that permit promotion; empty when it is withheld.
    pub promote_permitted_by: Vec<String>,
}

/// Asks a pack about facts, evidence and approval among them, as they are: none is expired.
///
/// Pure Cedar: no rollout stage caps the level. The entities don't matter, since policies may not
/// read them. Promotion is asked by itself: whether a suggestion would be permitted is not part of it.
#[must_use]
pub fn assess(pack: &Pack, facts: &FactSet) -> Assessment {
    let asker = Asker::anyone();
    let verdict = up_to(Level::AutoApply, pack, asker, facts);
    let promotion = promotion(pack, asker, facts);
    let ids = |policies: Vec<PolicyInfo>| policies.into_iter().map(|policy| policy.id).collect();
    Assessment {
        level: verdict.level,
        bounds: verdict.bounds,
        permitted_by: ids(verdict.permitted_by),
        promote_bounds: lowest_first(promotion.bounds),
        promote_permitted_by: ids(promotion.permitted_by),
    }
}
