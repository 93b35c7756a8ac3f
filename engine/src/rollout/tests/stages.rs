//! Promotion, demotion, and what people do with a lane.

use holdpoint_schemas::Level::{self, Alert, AutoApply, Suggest};
use holdpoint_schemas::actor::Remediator;
use holdpoint_schemas::outcome::OutcomeKind::{
    self, Flaky, HeldByReview, Incident, Merged, Reverted, ValidationFailed,
};
use holdpoint_schemas::rollout::{
    Demotion, FailureRate, Halt, HaltScope, Hold, Lane, LaneMatch, Ratio, Record, Rollout, StageCause,
};
use proptest::prelude::*;

use super::fixtures::{Estate, lane, merges, night, outcome, record};
use crate::rollout::{AUTOMATION, RolloutState, StepError};

/// Promoted on night 14.
fn promoted() -> Estate {
    let mut estate = Estate::new(lane()).with(merges(0, 100, 0));
    assert_eq!(estate.run(14), AutoApply);
    estate
}

#[test]
fn a_lane_rises_when_enough_merges_have_survived_and_not_before() {
    let mut estate = Estate::new(lane()).with(merges(0, 100, 0));
    assert_eq!(estate.run(13), Suggest);
    let waiting = estate.state(13);
    let evidence = waiting.lane("upgrades").unwrap().evidence;
    assert_eq!((evidence.successes, evidence.pending), (0, 100));
    assert_eq!(estate.run(14), AutoApply);
    let Some(Record::Stage(change)) = estate.records.last() else {
        panic!("nothing was recorded")
    };
    assert_eq!(
        (change.from, change.to, change.cause),
        (Suggest, AutoApply, StageCause::Promoted)
    );
    assert!(change.evidence.lower_bound >= Ratio::percent(95), "{change:?}");
    assert!(
        change.reason.starts_with("100 of 100 fixes survived 14 days"),
        "{}",
        change.reason
    );
    let before = estate.records.len();
    assert_eq!((estate.run(14), estate.records.len()), (AutoApply, before));
    assert_eq!(estate.file.lanes[0].stage, Suggest);
    assert_eq!(estate.state(14).effective(&estate.file).lanes[0].stage, AutoApply);
}

#[test]
fn a_promotion_holds_only_once_it_is_on_record() {
    let estate = Estate::new(lane()).with(merges(0, 100, 0));
    assert_eq!(estate.stage(20), Suggest);
    assert_eq!(estate.state(20).changes_due(&estate.file, night(20)).len(), 1);
}

#[test]
fn a_good_rate_on_few_outcomes_promotes_nobody() {
    let mut estate = Estate::new(lane()).with(merges(0, 30, 0));
    assert_eq!(estate.run(100), Suggest);
    let state = estate.state(100);
    let distance = state.lane("upgrades").unwrap().distance.clone().unwrap();
    assert_eq!((distance.next, distance.successes), (AutoApply, Some(58)));
    estate.records.extend(merges(30, 58, 100));
    assert_eq!(estate.run(114), AutoApply);
}

#[test]
fn one_revert_lowers_the_lane_in_the_same_run_before_anything_is_recorded() {
    for kind in [Reverted, Incident] {
        let mut estate = promoted().with([record(7, kind, 15)]);
        assert_eq!(estate.stage(15), Suggest);
        let due = estate.state(15).changes_due(&estate.file, night(15));
        assert_eq!((due.len(), due[0].to, due[0].cause), (1, Suggest, StageCause::Demoted));
        assert_eq!(estate.run(15), Suggest);
        let state = estate.state(15);
        let standing = state.lane("upgrades").unwrap();
        assert_eq!((standing.demotions, standing.blocked_until), (1, Some(night(45))));
        // The same revert again, or the incident that it was about, lowers it once only.
        let again = estate.clone().with([record(7, Reverted, 16), record(7, Incident, 16)]);
        assert!(again.state(16).changes_due(&again.file, night(16)).is_empty());
    }
}

#[test]
fn a_revert_that_is_known_by_its_commit_only_is_about_the_same_fix() {
    let mut by_commit = outcome(9_999, Reverted, 15);
    by_commit.commit = outcome(7, Merged, 0).commit;
    by_commit.lane = "another".to_owned();
    let estate = promoted().with([Record::Outcome(by_commit)]);
    assert_eq!(estate.stage(15), Suggest);
}

#[test]
fn what_was_earned_before_a_demotion_does_not_count_after_it() {
    let mut estate = promoted().with(merges(200, 100, 15)).with([record(7, Reverted, 20)]);
    assert_eq!(estate.run(20), Suggest);
    assert_eq!(estate.run(60), Suggest);
    let evidence = estate.state(60).lane("upgrades").unwrap().evidence;
    assert_eq!((evidence.successes, evidence.failures, evidence.pending), (0, 0, 0));
    // New evidence counts, but not within the time after the demotion.
    estate.records.extend(merges(400, 120, 21));
    assert_eq!(estate.run(49), Suggest);
    assert!(
        estate
            .state(49)
            .lane("upgrades")
            .unwrap()
            .distance
            .as_ref()
            .unwrap()
            .waits_for[0]
            .contains("until")
    );
    assert_eq!(estate.run(50), AutoApply);
}

#[test]
fn a_second_climb_takes_more_than_the_first() {
    let mut estate = promoted().with([record(7, Reverted, 15)]);
    estate.run(15);
    let distance = |estate: &Estate| {
        estate
            .state(15)
            .lane("upgrades")
            .unwrap()
            .distance
            .clone()
            .unwrap()
            .successes
    };
    let fresh = Estate::new(lane());
    assert!(distance(&estate) > distance(&fresh), "{:?}", distance(&estate));
}

#[test]
fn a_merge_that_is_reverted_later_is_a_failure_and_not_a_success() {
    let estate = Estate::new(lane())
        .with(merges(0, 30, 0))
        .with([record(3, Reverted, 20)]);
    let evidence = estate.state(30).lane("upgrades").unwrap().evidence;
    assert_eq!((evidence.successes, evidence.failures), (29, 1));
    let held = Estate::new(lane())
        .with(merges(0, 30, 0))
        .with([record(50, HeldByReview, 20), record(50, HeldByReview, 21)]);
    let evidence = held.state(30).lane("upgrades").unwrap().evidence;
    assert_eq!((evidence.successes, evidence.failures), (30, 1));
}

#[test]
fn flaky_runs_and_failed_validations_are_no_outcomes_of_fixes() {
    let noise = (100..160).flat_map(|fix| [record(fix, Flaky, 1), record(fix, ValidationFailed, 1)]);
    let mut estate = Estate::new(lane()).with(merges(0, 100, 0)).with(noise);
    let evidence = estate.state(14).lane("upgrades").unwrap().evidence;
    assert_eq!((evidence.successes, evidence.failures), (100, 0));
    assert_eq!(estate.run(14), AutoApply);
}

#[test]
fn a_lane_at_its_floor_waits_and_does_not_fall() {
    let mut estate = Estate::new(lane())
        .with(merges(0, 200, 0))
        .with([record(3, Reverted, 10)]);
    assert_eq!(estate.run(14), Suggest);
    let state = estate.state(14);
    let standing = state.lane("upgrades").unwrap();
    assert_eq!((standing.blocked_until, standing.demotions), (Some(night(40)), 0));
    assert_eq!((standing.evidence.successes, standing.evidence.failures), (199, 1));
    assert_eq!(estate.run(39), Suggest);
    assert_eq!(estate.run(40), AutoApply);
}

#[test]
fn reviews_and_validations_lower_a_lane_where_its_file_says_so() {
    let strict = Lane {
        demotion: Demotion {
            held_by_review: Some(3),
            validation_failures: Some(FailureRate {
                share: Ratio::percent(40),
                outcomes: 10,
            }),
            ..Demotion::default()
        },
        ..lane()
    };
    let promoted = || {
        let mut estate = Estate::new(strict.clone()).with(merges(0, 100, 0));
        assert_eq!(estate.run(14), AutoApply);
        estate
    };
    let held = |count: u32, day| promoted().with((0..count).map(move |fix| record(500 + fix, HeldByReview, day)));
    assert_eq!((held(2, 15).stage(15), held(3, 15).stage(15)), (AutoApply, Suggest));
    assert_eq!(held(3, 15).stage(60), AutoApply, "only the last 30 days count");
    let validated = |failed: u32, fine: u32| {
        promoted()
            .with((0..failed).map(|fix| record(600 + fix, ValidationFailed, 15)))
            .with(merges(700, fine, 15))
    };
    assert_eq!(
        (validated(4, 6).stage(15), validated(3, 6).stage(15)),
        (Suggest, AutoApply)
    );
    assert_eq!(validated(3, 7).stage(15), AutoApply);
}

#[test]
fn a_lane_never_goes_above_its_ceiling_whatever_is_on_record() {
    let mut estate = promoted();
    estate.file.lanes[0].ceiling = Some(Suggest);
    assert_eq!(estate.run(20), Suggest);
    let state = estate.state(20);
    let refused = state.advance(&estate.file, "upgrades", AutoApply, "mara", "I want to", night(20));
    assert!(matches!(refused, Err(StepError::AboveCeiling { ceiling: Suggest, .. })));
    assert_eq!(state.lane("upgrades").unwrap().distance, None);
}

#[test]
fn a_lane_without_a_ceiling_never_rises() {
    let mut estate = Estate::new(Lane {
        ceiling: None,
        ..lane()
    })
    .with(merges(0, 500, 0));
    assert_eq!(estate.run(100), Suggest);
}

#[test]
fn what_was_earned_with_other_findings_is_not_earned_with_these() {
    let mut estate = promoted();
    estate.file.lanes[0].matches = LaneMatch::default();
    assert_eq!(estate.run(30), Suggest);
    assert_eq!(estate.state(30).lane("upgrades").unwrap().evidence.successes, 0);
    // A revert of that time still counts.
    let mut low = estate.clone();
    low.file.lanes[0].stage = AutoApply;
    assert_eq!(low.clone().with([record(7, Reverted, 31)]).stage(31), Suggest);
}

#[test]
fn people_advance_hold_and_let_go_by_name_and_with_a_reason() {
    let mut estate = Estate::new(lane()).with(merges(0, 100, 0));
    let state = estate.state(14);
    let advance = |by, reason| state.advance(&estate.file, "upgrades", AutoApply, by, reason, night(14));
    assert_eq!(advance(" ", "why"), Err(StepError::NoName));
    assert_eq!(advance(AUTOMATION, "why"), Err(StepError::NoName));
    assert_eq!(advance("mara", " "), Err(StepError::NoReason));
    let change = advance("mara", "seen it work").unwrap();
    assert_eq!((change.cause, change.by.as_str()), (StageCause::Advanced, "mara"));
    assert_eq!(estate.clone().with([Record::Stage(change)]).stage(14), AutoApply);
    assert!(matches!(
        state.advance(&estate.file, "nowhere", Alert, "mara", "x", night(14)),
        Err(StepError::NoLane(_))
    ));

    let hold = state
        .hold(&estate.file, "upgrades", true, "mara", "audit week", night(14))
        .unwrap();
    estate.records.push(Record::Hold(hold));
    assert_eq!(estate.run(20), Suggest);
    let held = estate.state(20);
    assert!(
        held.lane("upgrades").unwrap().distance.as_ref().unwrap().waits_for[0].contains("mara holds it: audit week")
    );
    let refused = held.advance(&estate.file, "upgrades", AutoApply, "ben", "now", night(20));
    assert!(matches!(refused, Err(StepError::Held { .. })));
    let lowered = held
        .advance(&estate.file, "upgrades", Alert, "ben", "too many", night(20))
        .unwrap();
    assert_eq!(estate.clone().with([Record::Stage(lowered)]).stage(20), Alert);
    estate.records.push(Record::Hold(
        held.hold(&estate.file, "upgrades", false, "mara", "audit over", night(21))
            .unwrap(),
    ));
    assert_eq!(estate.run(21), AutoApply);
}

#[test]
fn too_many_failures_halt_the_remediator_and_then_the_estate() {
    let broke = |fix: u32, bot: &str, day: i64| {
        let mut outcome = outcome(fix, Reverted, day);
        outcome.remediator = Remediator(bot.to_owned());
        Record::Outcome(outcome)
    };
    let scopes = |estate: &Estate| {
        estate
            .state(10)
            .halted()
            .map(|halt| halt.scope.clone())
            .collect::<Vec<_>>()
    };
    let two = Estate::new(lane()).with([broke(1, "a", 1), broke(2, "a", 2)]);
    assert!(scopes(&two).is_empty());
    assert!(
        scopes(&two.clone().with([broke(2, "a", 3)])).is_empty(),
        "the same fix again"
    );
    assert!(
        scopes(&two.clone().with([broke(3, "a", 9)])).is_empty(),
        "too far apart"
    );
    let three = two.with([broke(3, "a", 3)]);
    let a = HaltScope::Remediator(Remediator("a".to_owned()));
    assert_eq!(scopes(&three), std::slice::from_ref(&a));
    let due = three.state(10).halts_due();
    assert_eq!((due.len(), due[0].by.as_str(), due[0].on), (1, AUTOMATION, true));
    let mut recorded = three.clone().with(due.into_iter().map(Record::Halt));
    assert!(recorded.state(10).halts_due().is_empty());
    assert_eq!(scopes(&recorded), std::slice::from_ref(&a));
    // Automation doesn't resume itself; a person does, and what was before no longer trips it.
    let resume = |by: &str| Halt {
        scope: a.clone(),
        on: false,
        by: by.to_owned(),
        reason: "looked into it".to_owned(),
        at: night(10),
    };
    recorded.records.push(Record::Halt(resume(AUTOMATION)));
    assert_eq!(scopes(&recorded), std::slice::from_ref(&a));
    recorded.records.push(Record::Halt(resume("mara")));
    assert!(scopes(&recorded).is_empty());
    assert_eq!(
        recorded
            .state(10)
            .halt(a, false, "mara", "x", night(10))
            .unwrap_err()
            .to_string(),
        "remediator `a` isn't halted"
    );

    let five = Estate::new(lane()).with((0..5).map(|fix| broke(fix, ["a", "b", "c"][fix as usize % 3], 5)));
    assert_eq!(scopes(&five), [HaltScope::Estate]);
    let state = five.clone().with(merges(100, 100, 0)).state(40);
    assert!(
        state.changes_due(&five.file, night(40)).is_empty(),
        "nothing rises while the estate is halted"
    );
    assert!(matches!(
        state.advance(&five.file, "upgrades", AutoApply, "mara", "x", night(40)),
        Err(StepError::Halted { .. })
    ));
}

#[test]
fn a_clock_that_goes_back_raises_nothing_and_hides_nothing() {
    // Merges from the future haven't survived anything.
    let mut future = Estate::new(lane()).with(merges(0, 100, 400));
    assert_eq!(future.run(20), Suggest);
    // The revert is recorded after the promotion, with an earlier time.
    let late = promoted().with([record(7, Reverted, 2)]);
    assert_eq!(late.stage(15), Suggest);
    // Three reverts, recorded with clocks that jump, are still three.
    let jumping = Estate::new(lane()).with([record(1, Reverted, 9), record(2, Reverted, 7), record(3, Reverted, 8)]);
    assert_eq!(jumping.state(9).halted().count(), 1);
}

#[test]
fn a_demotion_outlives_the_name_of_its_lane() {
    let renamed = |estate: &Estate, lane: Lane| Estate {
        file: super::fixtures::file(lane),
        records: estate.records.clone(),
    };
    let named = |name: &str| Lane {
        name: name.to_owned(),
        stage: AutoApply,
        ..lane()
    };
    let of = |estate: &Estate, name: &str, day: i64| {
        let state = estate.state(day);
        let standing = state.lane(name).unwrap();
        (standing.stage, standing.demotions, standing.blocked_until)
    };
    let mut demoted = promoted().with([record(7, Reverted, 15)]);
    demoted.run(15);
    let fallen = (Suggest, 1, Some(night(45)));
    assert_eq!(of(&renamed(&demoted, named("bumps")), "bumps", 16), fallen);
    // Two runs that recorded the same fall recorded one.
    let twice = demoted.clone().with(demoted.records.last().cloned());
    assert_eq!(of(&renamed(&twice, named("bumps")), "bumps", 16), fallen);
    // A revert that is known only after the renaming.
    let late = renamed(&promoted().with([record(7, Reverted, 15)]), named("bumps"));
    assert_eq!(of(&late, "bumps", 16).0, Suggest);
    // A lane of other findings, and what the old name earned.
    let others = named("others").matching(LaneMatch::default());
    assert_eq!(of(&renamed(&demoted, others), "others", 16), (AutoApply, 0, None));
    let earned = Lane {
        stage: Suggest,
        ..named("bumps")
    };
    assert_eq!(of(&renamed(&promoted(), earned), "bumps", 16).0, Suggest);
}

#[test]
fn a_hold_outlives_the_name_of_its_lane() {
    let estate = Estate::new(lane()).with(merges(0, 100, 0));
    let state = estate.state(14);
    let order = |on, day| {
        let hold = state.hold(&estate.file, "upgrades", on, "mara", "audit week", night(day));
        Record::Hold(hold.unwrap())
    };
    let under = |name: &str, matching: LaneMatch, records: Vec<Record>| {
        let mut renamed = Estate {
            file: super::fixtures::file(Lane {
                name: name.to_owned(),
                ..lane()
            }),
            records,
        };
        renamed.file.lanes[0].matches = matching;
        renamed.state(20).lane(name).unwrap().held.is_some()
    };
    let same = lane().matches;
    assert!(under("bumps", same.clone(), vec![order(true, 14)]));
    assert!(!under("bumps", LaneMatch::default(), vec![order(true, 14)]));
    // What lets the old name go, or ends its hold, ends it here.
    assert!(!under("bumps", same.clone(), vec![order(true, 14), order(false, 16)]));
    // But nobody else's.
    let Record::Hold(own) = order(true, 15) else { panic!() };
    let own = Record::Hold(Hold {
        lane: "bumps".to_owned(),
        ..own
    });
    assert!(under(
        "bumps",
        same.clone(),
        vec![order(true, 14), own, order(false, 16)]
    ));
    // An order from before holds named what they hold.
    let Record::Hold(old) = order(true, 14) else { panic!() };
    assert!(!under("bumps", same, vec![Record::Hold(Hold { slice: None, ..old })]));
}

#[test]
fn records_of_a_lane_that_is_gone_move_nobody() {
    let mut estate = promoted();
    estate.file.lanes[0].name = "renamed".to_owned();
    let state = estate.state(20);
    assert_eq!(state.lane("renamed").unwrap().stage, Suggest);
    assert!(state.lane("upgrades").is_none());
    assert!(state.changes_due(&estate.file, night(20)).is_empty());
}

/// Any records, in any order, with clocks that jump.
fn records() -> impl Strategy<Value = Vec<Record>> {
    let kinds = OutcomeKind::ALL.to_vec();
    let outcome =
        (0..40_u32, proptest::sample::select(kinds), 0..60_i64).prop_map(|(fix, kind, day)| record(fix, kind, day));
    let stage = (
        proptest::sample::select(Level::ALL.to_vec()),
        proptest::sample::select(vec![StageCause::Promoted, StageCause::Demoted, StageCause::Advanced]),
        any::<bool>(),
        0..60_i64,
    )
        .prop_map(|(to, cause, same, day)| {
            let state = RolloutState::fold(&super::fixtures::file(lane()), [], night(day));
            let lane = lane();
            Record::Stage(holdpoint_schemas::rollout::StageChange {
                lane: lane.name.clone(),
                slice: if same { lane.slice() } else { None },
                from: Suggest,
                to,
                cause,
                by: "x".to_owned(),
                reason: String::new(),
                evidence: state.lane(&lane.name).unwrap().evidence,
                at: night(day),
            })
        });
    let bulk = (0..60_i64).prop_map(|day| merges(1_000, 95, day));
    let one = prop_oneof![6 => outcome, 1 => stage].prop_map(|record| vec![record]);
    proptest::collection::vec(prop_oneof![20 => one, 1 => bulk], 0..60).prop_map(|lists| lists.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(128) })]

    #[test]
    fn the_ceiling_holds_and_folding_twice_is_the_same(records in records(), ceiling in proptest::sample::select(vec![Suggest, AutoApply]), day in 0..80_i64) {
        let mut estate = Estate::new(Lane { ceiling: Some(ceiling), ..lane() }).with(records);
        prop_assert!(estate.stage(day) <= ceiling);
        prop_assert!(estate.run(day) <= ceiling);
        let (one, two) = (estate.state(day), estate.state(day));
        prop_assert_eq!(one.lane("upgrades"), two.lane("upgrades"));
        // What was due is on record now: a second run at the same moment records nothing.
        prop_assert!(one.changes_due(&estate.file, night(day)).is_empty());
    }

    #[test]
    fn a_revert_never_raises_a_stage(records in records(), fix in 0..2_000_u32, day in 0..80_i64) {
        let before = Estate::new(lane()).with(records);
        let mut after = before.clone().with([record(fix, Reverted, day)]);
        prop_assert!(after.stage(day) <= before.stage(day));
        let mut before = before;
        prop_assert!(after.run(day) <= before.run(day));
    }

    #[test]
    fn looking_earlier_never_gives_more(records in records(), day in 0..80_i64, back in 1..40_i64) {
        // Counts of an earlier moment, of the same records: fewer have survived.
        let estate = Estate::new(lane()).with(records);
        let at = |day| estate.state(day).lane("upgrades").unwrap().evidence;
        prop_assert!(at(day - back).successes <= at(day).successes);
        prop_assert_eq!(at(day - back).failures, at(day).failures);
    }
}

#[test]
fn the_default_stage_is_moved_by_nothing() {
    let rollout = Rollout::up_to(Suggest);
    let records = merges(0, 500, 0).into_iter().map(|record| match record {
        Record::Outcome(outcome) => Record::Outcome(holdpoint_schemas::outcome::OutcomeRecord {
            lane: "default".to_owned(),
            ..outcome
        }),
        other => other,
    });
    let state = RolloutState::fold(&rollout, records, night(100));
    assert_eq!(state.effective(&rollout), rollout);
    assert!(state.changes_due(&rollout, night(100)).is_empty());
}
