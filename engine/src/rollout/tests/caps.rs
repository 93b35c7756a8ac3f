//! Shadow, canary, soak, windows and halts, on one fix.

use holdpoint_schemas::Level::{AutoApply, Suggest};
use holdpoint_schemas::decision::{BoundKind, Cap};
use holdpoint_schemas::fact::FactTable;
use holdpoint_schemas::fix::FixKind;
use holdpoint_schemas::outcome::OutcomeKind::{Merged, Reverted};
use holdpoint_schemas::outcome::OutcomeRecord;
use holdpoint_schemas::rollout::{
    Canary, HaltScope, Lane, LaneMatch, LaneWindow, Ratio, Record, StageCause, StageChange,
};
use holdpoint_schemas::{Digest, Level};

use super::fixtures::{Estate, lane, merges, night, outcome};
use crate::decide::tests::fixtures::Case;
use crate::rollout::{Candidate, caps, subjects};

/// A lane that takes all configuration flags and is at auto-apply.
fn open() -> Lane {
    Lane {
        ceiling: Some(AutoApply),
        ..Lane::new("flags", AutoApply).matching(LaneMatch {
            kinds: Some(vec!["config-flag".to_owned()]),
            ..LaneMatch::default()
        })
    }
}

fn told(estate: &Estate, case: &Case, day: i64) -> Vec<Cap> {
    let candidate = Candidate {
        finding: &case.finding,
        fix: case.fix.as_ref(),
        facts: &case.facts,
        table: FactTable::shipped(),
    };
    caps(&estate.file, &estate.state(day), &candidate, night(day))
}

fn kinds(caps: &[Cap]) -> Vec<(BoundKind, Level)> {
    caps.iter().map(|cap| (cap.kind, cap.withholds)).collect()
}

fn flag() -> Case {
    Case::harmless(FixKind::ConfigFlag)
}

#[test]
fn an_open_lane_withholds_nothing_and_no_fix_needs_no_cap() {
    let estate = Estate::new(open());
    assert!(told(&estate, &flag(), 0).is_empty());
    let mut shadow = Estate::new(Lane { shadow: true, ..open() });
    let mut none = flag();
    none.fix = None;
    assert!(told(&shadow, &none, 0).is_empty());
    assert_eq!(kinds(&told(&shadow, &flag(), 0)), [(BoundKind::Shadow, AutoApply)]);
    shadow.file.lanes[0].stage = Suggest;
    assert_eq!(kinds(&told(&shadow, &flag(), 0)), [(BoundKind::Shadow, Suggest)]);
}

#[test]
fn a_decision_says_what_a_shadow_lane_would_have_done() {
    use crate::decide::tests::fixtures::{BASELINE, bound_ids};
    let estate = Estate::new(Lane { shadow: true, ..open() });
    let mut case = flag();
    case.rollout = estate.state(0).effective(&estate.file);
    case.caps = told(&estate, &case, 0);
    let decision = case.release(&BASELINE);
    assert_eq!(
        (decision.level, bound_ids(&decision)),
        (Suggest, vec![(AutoApply, "flags")])
    );
    assert_eq!(decision.bounds[0].kind, BoundKind::Shadow);
    let without = Case {
        caps: vec![],
        ..case.clone()
    }
    .release(&BASELINE);
    assert_eq!(without.level, AutoApply);
    assert_eq!(decision.inputs.rollout, Digest::of_json(&case.rollout).unwrap());
    assert_ne!(decision.inputs.caps, without.inputs.caps);
}

#[test]
fn where_it_is_open_which_lane_takes_it_each_of_them_withholds() {
    let mut estate = Estate::new(Lane {
        shadow: true,
        ..open().matching(LaneMatch {
            tiers: Some(vec![0]),
            ..LaneMatch::default()
        })
    });
    estate.file.lanes.push(Lane {
        name: "rest".to_owned(),
        ..open()
    });
    assert!(told(&estate, &flag(), 0).is_empty());
    let unknown = flag().unknown("service.tier", "nobody said");
    assert_eq!(kinds(&told(&estate, &unknown, 0)), [(BoundKind::Shadow, AutoApply)]);
}

#[test]
fn a_canary_is_stable_grows_with_evidence_and_falls_back() {
    let canary = |shares: &[u32]| {
        Some(Canary {
            shares: shares.iter().copied().map(Ratio::percent).collect(),
            outcomes: 10,
        })
    };
    let cases: Vec<Case> = (0..1_000)
        .map(|number| {
            let mut case = Case::harmless(FixKind::DependencyUpgrade);
            case.finding.repo = format!("repo-{number}");
            case
        })
        .collect();
    let inside = |estate: &Estate, day| -> Vec<usize> {
        let free = cases
            .iter()
            .enumerate()
            .filter(|(_, case)| told(estate, case, day).is_empty());
        free.map(|(index, _)| index).collect()
    };
    let lane = Lane {
        stage: AutoApply,
        canary: canary(&[10, 50, 100]),
        ..lane()
    };
    let estate = Estate::new(lane.clone());
    let tenth = inside(&estate, 0);
    assert!((70..130).contains(&tenth.len()), "{}", tenth.len());
    assert_eq!(tenth, inside(&estate, 3));
    let half = inside(&estate.clone().with(merges(0, 10, 0)), 14);
    assert!((430..570).contains(&half.len()) && tenth.iter().all(|one| half.contains(one)));
    let all = estate.clone().with(merges(0, 20, 0));
    assert_eq!(inside(&all, 14).len(), 1_000);
    assert_eq!(inside(&all, 13), tenth, "they haven't survived yet");
    let cap = &told(&estate, &cases[(0..1_000).find(|one| !tenth.contains(one)).unwrap()], 0)[0];
    assert_eq!((cap.kind, cap.withholds), (BoundKind::Canary, AutoApply));
    assert!(cap.reason.contains("auto-applies 10% of its fixes"), "{}", cap.reason);
    let never = Estate::new(Lane {
        canary: canary(&[]),
        ..lane
    });
    assert!(inside(&never, 0).is_empty());
}

#[test]
fn a_change_soaks_in_the_ring_before() {
    let mut estate = Estate::new(Lane {
        soak_days: Some(7),
        ..open()
    });
    estate.file.rings = ["dev", "staging", "production"].map(str::to_owned).to_vec();
    let there = |ring: &str, fix: u32, kind, day| {
        Record::Outcome(OutcomeRecord {
            environment: Some(ring.to_owned()),
            subjects: subjects(flag().fix.as_ref().unwrap()),
            ..outcome(fix, kind, day)
        })
    };
    assert_eq!(kinds(&told(&estate, &flag(), 30)), [(BoundKind::Soak, AutoApply)]);
    assert!(told(&estate, &flag().set("service.environment", "dev"), 30).is_empty());
    for unknown in [
        flag().set("service.environment", "mars"),
        flag().unknown("service.environment", ""),
    ] {
        assert_eq!(kinds(&told(&estate, &unknown, 30)), [(BoundKind::Soak, AutoApply)]);
    }
    let dev_only = estate.clone().with([there("dev", 1, Merged, 0)]);
    assert_eq!(told(&dev_only, &flag(), 30).len(), 1);
    let staged = estate.clone().with([there("staging", 1, Merged, 10)]);
    assert_eq!(
        (told(&staged, &flag(), 16).len(), told(&staged, &flag(), 17).len()),
        (1, 0)
    );
    let reverted = staged.with([there("staging", 1, Reverted, 18)]);
    assert!(
        told(&reverted, &flag(), 40)
            .iter()
            .any(|cap| cap.kind == BoundKind::Soak)
    );
    let again = reverted.with([there("staging", 2, Merged, 20)]);
    assert!(told(&again, &flag(), 26).iter().any(|cap| cap.kind == BoundKind::Soak));
    assert!(told(&again, &flag(), 27).iter().all(|cap| cap.kind != BoundKind::Soak));
}

#[test]
fn a_window_that_is_closed_withholds_the_merge_only() {
    let window = |from: &str, to: &str| {
        Estate::new(Lane {
            windows: vec![LaneWindow {
                days: vec![],
                from: from.to_owned(),
                to: to.to_owned(),
                zone: "UTC".to_owned(),
            }],
            ..open()
        })
    };
    assert!(told(&window("02:00", "03:00"), &flag(), 0).is_empty());
    assert_eq!(
        kinds(&told(&window("03:00", "02:00"), &flag(), 0)),
        [(BoundKind::Window, AutoApply)]
    );
}

#[test]
fn what_is_halted_is_only_reported() {
    let estate = Estate::new(open());
    for scope in [HaltScope::Estate, HaltScope::Remediator(flag().fix.unwrap().remediator)] {
        let halt = estate
            .state(0)
            .halt(scope, true, "mara", "it broke the shop", night(0))
            .unwrap();
        let halted = estate.clone().with([Record::Halt(halt)]);
        let caps = told(&halted, &flag(), 1);
        assert_eq!(kinds(&caps), [(BoundKind::CircuitBreaker, Suggest)]);
        assert!(caps[0].reason.contains("by mara") && caps[0].reason.contains("it broke the shop"));
    }
    let other = HaltScope::Remediator(holdpoint_schemas::actor::Remediator("another".to_owned()));
    let halt = estate.state(0).halt(other, true, "mara", "x", night(0)).unwrap();
    assert!(told(&estate.with([Record::Halt(halt)]), &flag(), 1).is_empty());
}

#[test]
fn the_stage_that_counts_is_the_one_on_record() {
    let mut estate = Estate::new(Lane {
        shadow: true,
        stage: Suggest,
        ..open()
    });
    let state = estate.state(0);
    let change = StageChange {
        cause: StageCause::Advanced,
        ..state
            .advance(&estate.file, "flags", AutoApply, "mara", "ready", night(0))
            .unwrap()
    };
    estate.records.push(Record::Stage(change));
    assert_eq!(kinds(&told(&estate, &flag(), 1)), [(BoundKind::Shadow, AutoApply)]);
    assert_eq!(estate.state(1).effective(&estate.file).lanes[0].stage, AutoApply);
}
