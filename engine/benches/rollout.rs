//! What it costs to earn a stage, and how often one is earned wrongly: 10,000 lanes over 365 nights, each looked at every
//! night. Compared with a test for a fixed number of outcomes (Clopper–Pearson), looked at once, as it is meant to be
//! used, and looked at every night, as it is not.
//!
//! `cargo bench -p holdpoint-engine --bench rollout` prints the figures as JSON; those of one run are in
//! `benches/figures/rollout.json`. Everything is seeded: the counts are the same on every machine.

#![allow(
    clippy::indexing_slicing,
    clippy::disallowed_macros,
    clippy::disallowed_methods,
    reason = "a bench measures time and prints its figures"
)]

use std::time::Instant;

use holdpoint_engine::rollout::RolloutState;
use holdpoint_engine::rollout::confidence::surpasses;
use holdpoint_schemas::actor::Remediator;
use holdpoint_schemas::outcome::{OutcomeKind, OutcomeRecord};
use holdpoint_schemas::rollout::{Lane, Promotion, Ratio, Record, Rollout};
use holdpoint_schemas::{Digest, Level, Timestamp};
use jiff::SignedDuration;
use serde_json::{Value, json};

const LANES: usize = 10_000;
const NIGHTS: usize = 365;
/// Lanes that go through the whole engine: records, survival, stages.
const WHOLE: usize = 200;
const BAR: Ratio = Ratio::percent(95);
const ERROR: Ratio = Ratio::percent(5);
/// True success rates in thousandths: below the bar, at it, above it.
const RATES: [u32; 10] = [900, 930, 940, 949, 950, 960, 970, 980, 990, 995];

fn main() {
    let limits = fixed_limits(2_000);
    let rates: Vec<Value> = RATES.iter().map(|rate| one_rate(*rate, &limits)).collect();
    let figures = json!({
        "lanes": LANES, "nights": NIGHTS, "bar": BAR, "error": ERROR, "outcomes_a_night": 1,
        "rates": rates,
        "whole_engine": [whole_engine(950), whole_engine(990)],
    });
    println!("{figures:#}");
}

fn one_rate(thousandths: u32, limits: &[Option<u32>]) -> Value {
    let rate = Ratio::of_millionths(thousandths * 1_000);
    let start = Instant::now();
    let mut numbers = Numbers(u64::from(thousandths));
    let (mut anytime, mut peeked) = (Vec::new(), 0_usize);
    for _ in 0..LANES {
        let (mut successes, mut failures) = (0, 0);
        let (mut rises, mut fixed) = (None, false);
        for (night, limit) in limits.iter().enumerate().skip(1).take(NIGHTS) {
            if numbers.happens(rate) {
                successes += 1;
            } else {
                failures += 1;
            }
            if rises.is_none() && surpasses(successes, failures, BAR, ERROR) {
                rises = Some(night);
            }
            fixed = fixed || limit.is_some_and(|most| failures <= most);
        }
        anytime.extend(rises);
        peeked += usize::from(fixed);
    }
    anytime.sort_unstable();
    // Outcomes after which that share of the lanes has risen.
    let after = |share: usize| anytime.get((LANES * share).div_ceil(100) - 1).copied();
    json!({
        "true_rate": rate,
        "above_the_bar": rate > BAR,
        "promoted_anytime": anytime.len(),
        "promoted_fixed_sample_peeking_every_night": peeked,
        "outcomes_until_half_have_risen": after(50),
        "outcomes_until_80_percent_have_risen": after(80),
        "fixed_sample_for_power_50": fixed_sample(rate, 0.5, limits),
        "fixed_sample_for_power_80": fixed_sample(rate, 0.8, limits),
        "seconds": (start.elapsed().as_secs_f64() * 100.0).round() / 100.0,
    })
}

/// The most failures among `n` outcomes with which the one-sided Clopper–Pearson bound is above the bar, for each `n`.
fn fixed_limits(most: u32) -> Vec<Option<u32>> {
    (0..=most)
        .map(|n| {
            let mut tail = 0.0;
            let mut limit = None;
            for (failures, probability) in failures_of(n, 0.05) {
                tail += probability;
                if tail > 0.05 {
                    break;
                }
                limit = Some(failures);
            }
            limit
        })
        .collect()
}

/// The probability of each number of failures among `n`.
fn failures_of(n: u32, rate: f64) -> impl Iterator<Item = (u32, f64)> {
    let mut probability = (1.0 - rate).powi(i32::try_from(n).unwrap_or(i32::MAX));
    (0..=n).map(move |failures| {
        let now = probability;
        probability *= f64::from(n - failures) / f64::from(failures + 1) * rate / (1.0 - rate);
        (failures, now)
    })
}

/// How many outcomes a test that is looked at once needs, so that a lane of this rate passes it that often.
fn fixed_sample(rate: Ratio, power: f64, limits: &[Option<u32>]) -> Option<usize> {
    let bad = 1.0 - f64::from(rate.millionths()) / 1e6;
    let passes = |n: usize, most: u32| {
        let failures = failures_of(u32::try_from(n).unwrap_or(0), bad);
        failures
            .take_while(|(failures, _)| *failures <= most)
            .map(|(_, probability)| probability)
            .sum::<f64>()
    };
    (rate > BAR).then_some(())?;
    (1..limits.len()).find(|n| limits[*n].is_some_and(|most| passes(*n, most) >= power))
}

/// Lanes of the engine itself: one merge a night, those that fail are held by review; 14 days of survival; a run each
/// night that records what is due.
fn whole_engine(thousandths: u32) -> Value {
    let rate = Ratio::of_millionths(thousandths * 1_000);
    let lane = Lane {
        ceiling: Some(Level::AutoApply),
        promotion: Some(Promotion {
            success_rate: BAR,
            error: ERROR,
            outcomes: 20,
            survival_days: 14,
        }),
        ..Lane::new("lane", Level::Suggest)
    };
    let file = Rollout {
        lanes: vec![lane.clone()],
        ..Rollout::default()
    };
    let start = Instant::now();
    let mut numbers = Numbers(u64::from(thousandths) + 1);
    let mut promoted = Vec::new();
    for _ in 0..WHOLE {
        let mut records = Vec::new();
        for night in 0..NIGHTS {
            let now = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(24 * night as i64);
            let kind = if numbers.happens(rate) {
                OutcomeKind::Merged
            } else {
                OutcomeKind::HeldByReview
            };
            records.push(outcome(&lane, night, kind, now));
            let state = RolloutState::fold(&file, records.iter().cloned(), now);
            if !state.changes_due(&file, now).is_empty() {
                promoted.push(night);
                break;
            }
        }
    }
    promoted.sort_unstable();
    json!({
        "true_rate": rate, "lanes": WHOLE, "promoted": promoted.len(),
        "nights_until_half_have_risen": promoted.get(WHOLE / 2),
        "seconds": (start.elapsed().as_secs_f64() * 100.0).round() / 100.0,
    })
}

fn outcome(lane: &Lane, fix: usize, kind: OutcomeKind, at: Timestamp) -> Record {
    Record::Outcome(OutcomeRecord {
        lane: lane.name.clone(),
        slice: lane.slice(),
        fix: Digest::of_bytes(&fix.to_be_bytes()),
        repo: "repo".to_owned(),
        branch: "main".to_owned(),
        commit: None,
        remediator: Remediator("bot".to_owned()),
        services: ["service".into()].into(),
        environment: None,
        subjects: [].into(),
        kind,
        at,
        by: "holdpoint".to_owned(),
        reference: None,
        reason: String::new(),
    })
}

/// A seeded sequence of numbers: SplitMix64 (Steele, Lea and Flood 2014).
struct Numbers(u64);

impl Numbers {
    fn happens(&mut self, rate: Ratio) -> bool {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % 1_000_000 < u64::from(rate.millionths())
    }
}
