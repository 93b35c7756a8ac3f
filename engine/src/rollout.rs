//! Which lane a finding is in, and how far that lane may go.

use std::collections::BTreeSet;

use holdpoint_schemas::Level;
use holdpoint_schemas::fact::{FactSet, FactValue};
use holdpoint_schemas::rollout::{Lane, LaneMatch, Rollout};

const KIND: &str = "fix.kind";
const ENVIRONMENT: &str = "service.environment";
const TIER: &str = "service.tier";

/// The lane of a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaneChoice {
    /// Name of the lane; `None`: no lane takes it and the default stage holds.
    pub lane: Option<String>,
    /// Highest level that it may reach.
    pub stage: Level,
    /// Facts that the choice rests on, by id.
    pub facts: BTreeSet<String>,
    /// Those of them whose absence could have hidden another lane. Empty: the choice is certain.
    pub unknown: BTreeSet<String>,
}

/// The first lane that matches. Where an unknown fact leaves open whether a lane matches, the lowest
/// stage among all lanes that could be the first holds, so that knowing less never gives more.
#[must_use]
pub fn lane_for(rollout: &Rollout, facts: &FactSet) -> LaneChoice {
    // What could hold: each lane that may match, up to the first that certainly does, else the default.
    let mut possible: Vec<(Option<&Lane>, Level)> = Vec::new();
    let mut read = BTreeSet::new();
    let mut unknown = BTreeSet::new();
    let mut certain = false;
    for lane in &rollout.lanes {
        let fit = Fit::of(&lane.matches, facts);
        read.extend(fit.read);
        if fit.answer == Some(false) {
            continue;
        }
        possible.push((Some(lane), lane.stage));
        unknown.extend(fit.unknown);
        if fit.answer == Some(true) {
            certain = true;
            break;
        }
    }
    if !certain {
        possible.push((None, rollout.default_stage));
    }
    let (lane, stage) = possible
        .into_iter()
        .min_by_key(|(_, stage)| *stage)
        .unwrap_or((None, rollout.default_stage));
    LaneChoice {
        lane: lane.map(|lane| lane.name.clone()),
        stage,
        facts: read.into_iter().map(str::to_owned).collect(),
        unknown: unknown.into_iter().map(str::to_owned).collect(),
    }
}

/// Whether a lane takes a finding, in three values.
struct Fit {
    answer: Option<bool>,
    read: Vec<&'static str>,
    unknown: Vec<&'static str>,
}

impl Fit {
    fn of(matches: &LaneMatch, facts: &FactSet) -> Self {
        let mut fit = Self {
            answer: Some(true),
            read: Vec::new(),
            unknown: Vec::new(),
        };
        let word = |words: &Vec<String>, value: &FactValue| matches!(value, FactValue::String(w) if words.contains(w));
        let tier = |tiers: &Vec<u8>, value: &FactValue| matches!(value, FactValue::Long(t) if tiers.iter().any(|tier| i64::from(*tier) == *t));
        if let Some(kinds) = &matches.kinds {
            fit.and(KIND, facts, |value| word(kinds, value));
        }
        if let Some(environments) = &matches.environments {
            fit.and(ENVIRONMENT, facts, |value| word(environments, value));
        }
        if let Some(tiers) = &matches.tiers {
            fit.and(TIER, facts, |value| tier(tiers, value));
        }
        fit
    }

    fn and(&mut self, id: &'static str, facts: &FactSet, matches: impl Fn(&FactValue) -> bool) {
        self.read.push(id);
        match facts.get(id) {
            Some(fact) if matches(&fact.value) => {}
            Some(_) => self.answer = Some(false),
            None => {
                self.unknown.push(id);
                if self.answer == Some(true) {
                    self.answer = None;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use holdpoint_schemas::Timestamp;
    use holdpoint_schemas::fact::Fact;

    fn facts(known: &[(&str, FactValue)]) -> FactSet {
        let mut set = FactSet::new();
        for (id, value) in known {
            set.insert(
                id,
                Fact {
                    value: value.clone(),
                    source: "test".to_owned(),
                    observed_at: Timestamp::UNIX_EPOCH,
                    note: None,
                },
            );
        }
        set
    }

    fn rollout() -> Rollout {
        let lane = |name: &str, kind: &str, tiers: Option<Vec<u8>>, stage| Lane {
            name: name.to_owned(),
            matches: LaneMatch {
                kinds: Some(vec![kind.to_owned()]),
                environments: None,
                tiers,
            },
            stage,
        };
        Rollout {
            default_stage: Level::Suggest,
            lanes: vec![
                lane("core-upgrades", "dependency-upgrade", Some(vec![0, 1]), Level::Alert),
                lane("upgrades", "dependency-upgrade", None, Level::AutoApply),
            ],
        }
    }

    #[test]
    fn the_first_lane_that_matches_is_the_one() {
        let choice = lane_for(
            &rollout(),
            &facts(&[(KIND, "dependency-upgrade".into()), (TIER, 3.into())]),
        );
        assert_eq!(
            (choice.lane.as_deref(), choice.stage),
            (Some("upgrades"), Level::AutoApply)
        );
        assert!(choice.unknown.is_empty());
        assert_eq!(choice.facts.len(), 2);
    }

    #[test]
    fn an_unknown_fact_keeps_the_lowest_stage_that_it_leaves_open() {
        let choice = lane_for(&rollout(), &facts(&[(KIND, "dependency-upgrade".into())]));
        assert_eq!(
            (choice.lane.as_deref(), choice.stage),
            (Some("core-upgrades"), Level::Alert)
        );
        assert_eq!(choice.unknown.iter().collect::<Vec<_>>(), [TIER]);
    }

    #[test]
    fn a_lane_that_cannot_match_is_passed_over_even_with_another_fact_unknown() {
        let choice = lane_for(&rollout(), &facts(&[(KIND, "config-flag".into())]));
        assert_eq!((choice.lane, choice.stage), (None, Level::Suggest));
        assert!(choice.unknown.is_empty());
    }

    #[test]
    fn nothing_known_and_nothing_matching_still_has_the_default_among_the_possibilities() {
        let rollout = Rollout {
            default_stage: Level::Alert,
            ..rollout()
        };
        let mut only_open = rollout.clone();
        only_open.lanes.remove(0);
        assert_eq!(lane_for(&only_open, &FactSet::new()).stage, Level::Alert);
        assert_eq!(
            lane_for(
                &Rollout {
                    lanes: vec![],
                    ..rollout
                },
                &FactSet::new()
            )
            .stage,
            Level::Alert
        );
    }
}
