//! Which lane a finding is in, and how far that lane may go.

use std::collections::BTreeSet;

use holdpoint_schemas::Level;
use holdpoint_schemas::actor::Remediator;
use holdpoint_schemas::fact::{FactSet, FactValue};
use holdpoint_schemas::rollout::{DEFAULT_LANE, Lane, Rollout};

const CLASS: &str = "fix.class";
const KIND: &str = "fix.kind";
const ECOSYSTEMS: &str = "fix.ecosystems";
const ENVIRONMENT: &str = "service.environment";
const TIER: &str = "service.tier";
const SYSTEMS: &str = "service.systems";
const TEAMS: &str = "service.teams";

/// The lane of a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaneChoice {
    /// Name of the lane; `None`: no lane takes it and the default stage holds.
    pub lane: Option<String>,
    /// Highest level that it may reach.
    pub stage: Level,
    /// Facts that the choice rests on, by id.
    pub facts: BTreeSet<String>,
    /// Those of them whose absence could have hidden another lane. Empty: nothing unknown leaves it open.
    pub unknown: BTreeSet<String>,
    /// Those of them that say several things of which a lane names only some.
    pub mixed: BTreeSet<String>,
    /// Every lane that could take it, in the file's order, [`DEFAULT_LANE`] last. What any of them withholds is
    /// withheld.
    pub open: Vec<String>,
}

/// The first lane that matches. Where an unknown fact leaves open whether a lane matches, the lowest
/// stage among all lanes that could be the first holds, so that knowing less never gives more.
#[must_use]
pub fn lane_for(rollout: &Rollout, facts: &FactSet, remediator: &Remediator) -> LaneChoice {
    // What could hold: each lane that may match, up to the first that certainly does, else the default.
    let mut possible: Vec<(Option<&Lane>, Level)> = Vec::new();
    let mut read = BTreeSet::new();
    let mut unknown = BTreeSet::new();
    let mut mixed = BTreeSet::new();
    let mut certain = false;
    for lane in &rollout.lanes {
        let fit = Fit::of(lane, facts, remediator);
        read.extend(fit.read);
        if fit.answer == Some(false) {
            continue;
        }
        possible.push((Some(lane), lane.stage));
        unknown.extend(fit.unknown);
        mixed.extend(fit.mixed);
        if fit.answer == Some(true) {
            certain = true;
            break;
        }
    }
    if !certain {
        possible.push((None, rollout.default_stage));
    }
    let name = |lane: &Option<&Lane>| lane.map_or_else(|| DEFAULT_LANE.to_owned(), |lane| lane.name.clone());
    let open = possible.iter().map(|(lane, _)| name(lane)).collect();
    let (lane, stage) = possible
        .into_iter()
        .min_by_key(|(_, stage)| *stage)
        .unwrap_or((None, rollout.default_stage));
    let owned = |ids: BTreeSet<&'static str>| ids.into_iter().map(str::to_owned).collect();
    LaneChoice {
        lane: lane.map(|lane| lane.name.clone()),
        stage,
        facts: owned(read),
        unknown: owned(unknown),
        mixed: owned(mixed),
        open,
    }
}

/// Whether a lane takes a finding, in three values.
struct Fit {
    answer: Option<bool>,
    read: Vec<&'static str>,
    unknown: Vec<&'static str>,
    mixed: Vec<&'static str>,
}

impl Fit {
    fn of(lane: &Lane, facts: &FactSet, remediator: &Remediator) -> Self {
        let mut fit = Self {
            answer: Some(true),
            read: Vec::new(),
            unknown: Vec::new(),
            mixed: Vec::new(),
        };
        let matches = &lane.matches;
        if matches
            .remediators
            .as_ref()
            .is_some_and(|names| !names.contains(&remediator.0))
        {
            fit.answer = Some(false);
        }
        let classes = matches
            .classes
            .as_ref()
            .map(|classes| classes.iter().map(|class| class.as_str().to_owned()).collect());
        for (id, words) in [
            (CLASS, classes.as_ref()),
            (KIND, matches.kinds.as_ref()),
            (ECOSYSTEMS, matches.ecosystems.as_ref()),
            (ENVIRONMENT, matches.environments.as_ref()),
            (SYSTEMS, matches.systems.as_ref()),
            (TEAMS, matches.teams.as_ref()),
        ] {
            if let Some(words) = words {
                fit.and(id, facts, |value| among(words, value));
            }
        }
        if let Some(tiers) = &matches.tiers {
            let named = |tier: &i64| tiers.iter().any(|named| i64::from(*named) == *tier);
            fit.and(TIER, facts, |value| {
                Some(matches!(value, FactValue::Long(tier) if named(tier)))
            });
        }
        fit
    }

    fn and(&mut self, id: &'static str, facts: &FactSet, matches: impl Fn(&FactValue) -> Option<bool>) {
        self.read.push(id);
        let answer = match facts.get(id) {
            Some(fact) => {
                let answer = matches(&fact.value);
                if answer.is_none() {
                    self.mixed.push(id);
                }
                answer
            }
            None => {
                self.unknown.push(id);
                None
            }
        };
        self.answer = match (self.answer, answer) {
            (Some(false), _) | (_, Some(false)) => Some(false),
            (None, _) | (_, None) => None,
            (Some(true), Some(true)) => Some(true),
        };
    }
}

/// Whether the words name the value: all that it says, nothing of it, or only a part.
fn among(words: &[String], value: &FactValue) -> Option<bool> {
    match value {
        FactValue::String(word) => Some(words.contains(word)),
        FactValue::Set(set) => match set.iter().filter(|word| words.contains(word)).count() {
            0 => Some(false),
            named if named == set.len() => Some(true),
            _ => None,
        },
        _ => Some(false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use holdpoint_schemas::Timestamp;
    use holdpoint_schemas::fact::Fact;
    use holdpoint_schemas::rollout::LaneMatch;

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

    fn chosen(rollout: &Rollout, known: &[(&str, FactValue)]) -> LaneChoice {
        lane_for(rollout, &facts(known), &Remediator("fixbot".to_owned()))
    }

    fn words(words: &[&str]) -> FactValue {
        FactValue::Set(words.iter().map(|word| (*word).to_owned()).collect())
    }

    fn rollout() -> Rollout {
        let lane = |name: &str, kind: &str, tiers: Option<Vec<u8>>, stage| {
            Lane::new(name, stage).matching(LaneMatch {
                kinds: Some(vec![kind.to_owned()]),
                tiers,
                ..LaneMatch::default()
            })
        };
        Rollout {
            default_stage: Level::Suggest,
            lanes: vec![
                lane("core-upgrades", "dependency-upgrade", Some(vec![0, 1]), Level::Alert),
                lane("upgrades", "dependency-upgrade", None, Level::AutoApply),
            ],
            ..Rollout::default()
        }
    }

    #[test]
    fn the_first_lane_that_matches_is_the_one() {
        let choice = chosen(&rollout(), &[(KIND, "dependency-upgrade".into()), (TIER, 3.into())]);
        assert_eq!(
            (choice.lane.as_deref(), choice.stage),
            (Some("upgrades"), Level::AutoApply)
        );
        assert!(choice.unknown.is_empty());
        assert_eq!((choice.facts.len(), choice.open), (2, vec!["upgrades".to_owned()]));
    }

    #[test]
    fn an_unknown_fact_keeps_the_lowest_stage_that_it_leaves_open() {
        let choice = chosen(&rollout(), &[(KIND, "dependency-upgrade".into())]);
        assert_eq!(
            (choice.lane.as_deref(), choice.stage),
            (Some("core-upgrades"), Level::Alert)
        );
        assert_eq!(choice.unknown.iter().collect::<Vec<_>>(), [TIER]);
        assert_eq!(choice.open, ["core-upgrades", "upgrades"]);
    }

    #[test]
    fn a_lane_that_cannot_match_is_passed_over_even_with_another_fact_unknown() {
        let choice = chosen(&rollout(), &[(KIND, "config-flag".into())]);
        assert_eq!((choice.lane, choice.stage), (None, Level::Suggest));
        assert_eq!((choice.unknown.len(), choice.open), (0, vec![DEFAULT_LANE.to_owned()]));
    }

    #[test]
    fn nothing_known_and_nothing_matching_still_has_the_default_among_the_possibilities() {
        let mut only_open = Rollout {
            default_stage: Level::Alert,
            ..rollout()
        };
        only_open.lanes.remove(0);
        assert_eq!(chosen(&only_open, &[]).stage, Level::Alert);
        assert_eq!(chosen(&Rollout::up_to(Level::Alert), &[]).stage, Level::Alert);
    }

    #[test]
    fn what_several_owners_share_only_in_part_leaves_it_open_both_ways() {
        let lane = |stage| {
            Lane::new("core", stage).matching(LaneMatch {
                teams: Some(vec!["core".to_owned()]),
                ..LaneMatch::default()
            })
        };
        for (stage, default_stage) in [(Level::AutoApply, Level::Alert), (Level::Alert, Level::AutoApply)] {
            let rollout = Rollout {
                lanes: vec![lane(stage)],
                ..Rollout::up_to(default_stage)
            };
            let both = chosen(&rollout, &[(TEAMS, words(&["core", "risk"]))]);
            assert_eq!((both.stage, both.unknown.len()), (Level::Alert, 0));
            assert_eq!(both.mixed.iter().collect::<Vec<_>>(), [TEAMS]);
            assert_eq!(chosen(&rollout, &[(TEAMS, words(&["core"]))]).stage, stage);
            assert_eq!(chosen(&rollout, &[(TEAMS, words(&["risk"]))]).stage, default_stage);
            assert_eq!(chosen(&rollout, &[(TEAMS, words(&[]))]).stage, default_stage);
        }
    }

    #[test]
    fn every_field_of_the_match_counts() {
        let all = LaneMatch {
            classes: Some(vec![holdpoint_schemas::fix::FixClass::Mechanical]),
            kinds: Some(vec!["dependency-upgrade".to_owned()]),
            ecosystems: Some(vec!["npm".to_owned()]),
            environments: Some(vec!["dev".to_owned()]),
            tiers: Some(vec![3]),
            systems: Some(vec!["shop".to_owned()]),
            teams: Some(vec!["core".to_owned()]),
            remediators: Some(vec!["fixbot".to_owned()]),
        };
        let known: [(&str, FactValue); 7] = [
            (CLASS, "mechanical".into()),
            (KIND, "dependency-upgrade".into()),
            (ECOSYSTEMS, words(&["npm"])),
            (ENVIRONMENT, "dev".into()),
            (TIER, 3.into()),
            (SYSTEMS, words(&["shop"])),
            (TEAMS, words(&["core"])),
        ];
        let with = |matches: LaneMatch| Rollout {
            lanes: vec![Lane::new("all", Level::AutoApply).matching(matches)],
            ..Rollout::up_to(Level::Alert)
        };
        let rollout = with(all.clone());
        assert_eq!(chosen(&rollout, &known).stage, Level::AutoApply);
        for at in 0..known.len() {
            let mut other = known.clone();
            other[at].1 = match &other[at].1 {
                FactValue::Long(_) => 1.into(),
                FactValue::Set(_) => words(&["other"]),
                _ => "logic".into(),
            };
            let choice = chosen(&rollout, &other);
            assert_eq!(
                (choice.stage, choice.unknown.len()),
                (Level::Alert, 0),
                "{}",
                other[at].0
            );
            let mut less = known.to_vec();
            let (id, _) = less.remove(at);
            let choice = chosen(&rollout, &less);
            assert_eq!(
                (choice.stage, choice.unknown.first().map(String::as_str)),
                (Level::Alert, Some(id))
            );
        }
        let others = LaneMatch {
            remediators: Some(vec!["another".to_owned()]),
            ..all
        };
        assert_eq!(chosen(&with(others), &known).open, [DEFAULT_LANE]);
    }
}
