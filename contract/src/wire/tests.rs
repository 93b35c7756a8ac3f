mod mutations;
mod service;

use super::*;
use mutations::MUTATIONS;
use service::{Service, operations};

/// Runs of the baseline and of the candidate, as the runner makes them.
const BASELINE_RUNS: u64 = 5;
const CANDIDATE_RUNS: u64 = 3;

fn runs(seed: u64, count: u64, change: Option<mutations::Change>) -> Vec<Transcript> {
    (0..count)
        .map(|run| {
            Service {
                seed: seed * 1_000 + run,
                now: 1_767_323_045 + i64::try_from(seed * 97 + run * 2).unwrap(),
                change,
            }
            .transcript()
        })
        .collect()
}

fn check(seed: u64, change: Option<mutations::Change>) -> WireDiff {
    let baseline = runs(seed, BASELINE_RUNS, None);
    let candidate = runs(seed + 500_000, CANDIDATE_RUNS, change);
    compare(&operations(), &baseline, &candidate, &Config::default())
}

#[test]
fn the_baseline_against_itself_gives_no_alarm() {
    let mut alarms = Vec::new();
    for seed in 0..50 {
        let diff = check(seed, None);
        assert!(diff.gaps.is_empty(), "{:?}", diff.gaps);
        alarms.extend(diff.differences.into_iter().map(|found| (seed, found)));
    }
    assert!(
        alarms.is_empty(),
        "{} alarms in 50 comparisons: {alarms:#?}",
        alarms.len()
    );
}

/// Seeded changes, in places that are the same each time and in noisy ones.
#[test]
fn seeded_changes_are_found_at_their_place() {
    let (mut all, mut missed) = (0, Vec::new());
    for seed in 0..1 {
        for (name, place, change) in MUTATIONS {
            all += 1;
            let diff = check(seed, Some(*change));
            if !diff.differences.iter().any(|found| found.place.starts_with(place)) {
                missed.push((seed, *name, diff.differences));
            }
        }
    }
    assert!(
        missed.len() * 20 <= all,
        "{} of {all} missed: {missed:#?}",
        missed.len()
    );
    assert!(missed.is_empty(), "{missed:#?}");
}

/// What one change touches is told at few places: an alarm about everything helps nobody.
#[test]
fn a_change_is_told_where_it_is() {
    for (name, place, change) in MUTATIONS {
        let diff = check(3, Some(*change));
        let elsewhere = diff
            .differences
            .iter()
            .filter(|found| !found.place.starts_with(place))
            .count();
        assert!(elsewhere <= 2, "{name}: {:#?}", diff.differences);
    }
}

#[test]
fn a_pinned_place_is_an_error_and_names_who_pins_it() {
    let (_, _, change) = MUTATIONS.iter().find(|(name, ..)| *name == "header added").unwrap();
    let baseline = runs(1, BASELINE_RUNS, None);
    let candidate = runs(2, CANDIDATE_RUNS, Some(*change));
    let mut config = Config::default();
    let diff = compare(&operations(), &baseline, &candidate, &config);
    assert_eq!(diff.worst(), Some(Level::Info));
    config.pins.push(Pins {
        consumer: "bank-partner".to_owned(),
        headers: vec!["X-Frame-Options".to_owned()],
        fields: Vec::new(),
    });
    let diff = compare(&operations(), &baseline, &candidate, &config);
    assert_eq!(diff.worst(), Some(Level::Error));
    assert_eq!(diff.differences[0].pinned_by, ["bank-partner"]);
}

#[test]
fn levels_are_the_configurations() {
    let (_, _, change) = MUTATIONS.iter().find(|(name, ..)| *name == "header added").unwrap();
    let levels = BTreeMap::from([("header-added".to_owned(), Level::Error)]);
    let config = Config {
        levels,
        ..Config::default()
    };
    let diff = compare(&operations(), &runs(1, 2, None), &runs(2, 1, Some(*change)), &config);
    assert_eq!(diff.worst(), Some(Level::Error));
}

#[test]
fn what_was_not_answered_is_a_gap_and_what_broke_a_difference() {
    let operations = ["GET /".to_owned()];
    let answered = || vec![Reply::Response(Response::default())];
    let baseline = [answered(), answered()];
    let config = Config::default();
    let late = compare(&operations, &baseline, &[vec![Reply::TimedOut]], &config);
    assert!(late.differences.is_empty() && late.gaps.len() == 1);
    let broken = compare(
        &operations,
        &baseline,
        &[vec![Reply::Broken("reset".to_owned())]],
        &config,
    );
    assert_eq!(broken.differences[0].rule, "no-answer");
    assert_eq!(
        compare(&operations, &baseline[..1], &[answered()], &config).gaps.len(),
        1
    );
    assert_eq!(compare(&operations, &baseline, &[], &config).gaps.len(), 1);
    assert_eq!(compare(&operations, &baseline, &[Vec::new()], &config).gaps.len(), 1);
}

#[test]
fn texts_hold_no_value_of_a_secret_place() {
    for (_, _, change) in MUTATIONS.iter().filter(|(name, ..)| name.contains("token")) {
        let diff = check(1, Some(*change));
        assert!(!diff.differences.is_empty());
        let shown = format!("{diff:?}");
        assert!(!shown.contains("s3cr3t"), "{shown}");
    }
}
