//! What was done in a night, counted as budgets count it.

use std::collections::{BTreeMap, BTreeSet};

use holdpoint_schemas::rollout::{Admission, Budget};
use holdpoint_schemas::service::ServiceId;
use holdpoint_schemas::{Digest, Level};

use super::order::Waiting;

/// What the estate, or one lane, did in a night. A fix counts once.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally {
    applied: BTreeSet<Digest>,
    suggested: BTreeSet<Digest>,
    by_service: BTreeMap<ServiceId, BTreeSet<Digest>>,
    by_team: BTreeMap<String, BTreeSet<Digest>>,
    /// Services that were changed around each tier-0 service.
    around: BTreeMap<ServiceId, BTreeSet<ServiceId>>,
    minutes: BTreeMap<Digest, u32>,
}

/// A limit that is reached: who or what it belongs to, and the sentence for people.
pub(super) struct Spent {
    pub(super) id: String,
    pub(super) reason: String,
}

impl Tally {
    /// Nothing was done.
    pub(super) const fn empty() -> Self {
        Self {
            applied: BTreeSet::new(),
            suggested: BTreeSet::new(),
            by_service: BTreeMap::new(),
            by_team: BTreeMap::new(),
            around: BTreeMap::new(),
            minutes: BTreeMap::new(),
        }
    }

    pub(super) fn add(&mut self, admission: &Admission) {
        let fix = &admission.fix;
        let minutes = self.minutes.entry(fix.clone()).or_default();
        *minutes = (*minutes).max(admission.minutes);
        match admission.level {
            Level::Alert => {}
            Level::Suggest => {
                self.suggested.insert(fix.clone());
            }
            Level::AutoApply => {
                self.applied.insert(fix.clone());
                for service in &admission.services {
                    self.by_service.entry(service.clone()).or_default().insert(fix.clone());
                }
                for team in &admission.teams {
                    self.by_team.entry(team.clone()).or_default().insert(fix.clone());
                }
                for critical in &admission.tier_zero {
                    let around = self.around.entry(critical.clone()).or_default();
                    around.extend(admission.services.iter().cloned());
                }
            }
        }
    }

    /// Whether there is no room for another merge.
    pub(super) fn full(&self, whose: &str, budget: &Budget, waiting: &Waiting) -> Option<Spent> {
        let fix = &waiting.fix;
        if self.applied.contains(fix) {
            return None;
        }
        let spent = |id: &str, reason: String| {
            Some(Spent {
                id: id.to_owned(),
                reason,
            })
        };
        if reached(self.applied.len(), budget.per_night) {
            return spent(
                whose,
                format!("{} of its budget for merges are spent", of(budget.per_night)),
            );
        }
        for service in &waiting.services {
            let count = self.by_service.get(service).map_or(0, BTreeSet::len);
            if reached(count, budget.per_service) {
                let reason = format!("{} merges of `{service}` are spent", of(budget.per_service));
                return spent(service.as_str(), reason);
            }
        }
        if budget.per_team.is_some() && waiting.teams.is_none() {
            return spent(
                whose,
                "the teams that own it are unknown, so their budget can't be counted".to_owned(),
            );
        }
        for team in waiting.teams.iter().flatten() {
            let count = self.by_team.get(team).map_or(0, BTreeSet::len);
            if reached(count, budget.per_team) {
                return spent(
                    team,
                    format!("{} merges of team `{team}` are spent", of(budget.per_team)),
                );
            }
        }
        self.crowded(whose, budget, waiting)
    }

    /// Whether too many services around one tier-0 service would be changed in one night.
    fn crowded(&self, whose: &str, budget: &Budget, waiting: &Waiting) -> Option<Spent> {
        let Some(critical) = &waiting.tier_zero else {
            return Some(Spent {
                id: whose.to_owned(),
                reason: "which tier-0 services are around it can't be told".to_owned(),
            });
        };
        critical.iter().find_map(|critical| {
            let mut around = self.around.get(critical).cloned().unwrap_or_default();
            around.extend(waiting.services.iter().cloned());
            let limit = usize::try_from(budget.per_tier_zero).unwrap_or(usize::MAX);
            (around.len() > limit).then(|| Spent {
                id: critical.as_str().to_owned(),
                reason: format!(
                    "{} of the services around tier-0 service `{critical}` may change in one night",
                    budget.per_tier_zero
                ),
            })
        })
    }

    /// Whether there is no room for another pull request.
    pub(super) fn no_suggestion(&self, whose: &str, budget: &Budget, waiting: &Waiting) -> Option<Spent> {
        let known = self.suggested.contains(&waiting.fix) || self.applied.contains(&waiting.fix);
        (!known && reached(self.suggested.len(), budget.suggestions)).then(|| Spent {
            id: whose.to_owned(),
            reason: format!("{} of its budget for pull requests are spent", of(budget.suggestions)),
        })
    }

    /// Whether there is no sandbox time left for it.
    pub(super) fn no_time(&self, whose: &str, budget: &Budget, waiting: &Waiting) -> Option<Spent> {
        let limit = u64::from(budget.minutes?);
        let spent: u64 = self.minutes.values().map(|minutes| u64::from(*minutes)).sum();
        let known = self.minutes.get(&waiting.fix).copied().unwrap_or(0);
        let more = u64::from(waiting.minutes.saturating_sub(known));
        (more > 0 && spent + more > limit).then(|| Spent {
            id: whose.to_owned(),
            reason: format!("{spent} of {limit} minutes of sandbox time are spent, and it takes {more}"),
        })
    }
}

fn reached(count: usize, limit: Option<u32>) -> bool {
    limit.is_some_and(|limit| count >= usize::try_from(limit).unwrap_or(usize::MAX))
}

fn of(limit: Option<u32>) -> String {
    let limit = limit.unwrap_or(u32::MAX);
    format!("all {limit}")
}
