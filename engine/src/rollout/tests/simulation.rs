//! Coverage by simulation, in small: the bench `rollout` does it with 10,000 lanes.

use holdpoint_schemas::rollout::Ratio;

use crate::rollout::confidence::surpasses;

const LANES: u32 = 400;
const NIGHTS: u32 = 365;
const BAR: Ratio = Ratio::percent(95);
const ERROR: Ratio = Ratio::percent(5);

/// A seeded sequence of numbers (SplitMix64, Steele, Lea and Flood 2014), the same on every machine.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn happens(&mut self, rate: Ratio) -> bool {
        self.next() % 1_000_000 < u64::from(rate.millionths())
    }
}

/// How many of the lanes are ever promoted, with one outcome a night and a look after each.
fn promoted(rate: Ratio, decide: impl Fn(u32, u32) -> bool) -> u32 {
    let mut numbers = Numbers(7);
    let ever = (0..LANES).filter(|_| {
        let (mut successes, mut failures, mut promoted) = (0, 0, false);
        for _ in 0..NIGHTS {
            if numbers.happens(rate) {
                successes += 1;
            } else {
                failures += 1;
            }
            promoted = promoted || decide(successes, failures);
        }
        promoted
    });
    u32::try_from(ever.count()).unwrap()
}

fn anytime(successes: u32, failures: u32) -> bool {
    surpasses(successes, failures, BAR, ERROR)
}

/// A fixed-sample test (Clopper–Pearson, one-sided): the probability of so few failures at the bar is below the error.
fn fixed(successes: u32, failures: u32) -> bool {
    let (n, bar) = (f64::from(successes + failures), 0.95_f64);
    let mut term = bar.powf(n);
    let mut tail = term;
    for k in 0..failures {
        let k = f64::from(k);
        term *= (n - k) / (k + 1.0) * (1.0 - bar) / bar;
        tail += term;
    }
    tail <= 0.05
}

#[test]
fn looking_every_night_promotes_a_lane_at_the_bar_with_the_stated_error_at_most() {
    let at_the_bar = promoted(BAR, anytime);
    // 5% of 400 are 20; three standard deviations (4.4 each) above that would show an error that isn't kept.
    assert!(at_the_bar <= 33, "{at_the_bar} of {LANES}");
    assert!(at_the_bar > 0, "a bound that is never surpassed shows nothing");
    assert!(promoted(Ratio::percent(93), anytime) <= at_the_bar);
}

/// The probability that a lane of this rate is ever promoted within so many nights, exactly: what is promoted leaves the
/// distribution of failures.
fn ever_promoted(rate: f64, nights: u32, decide: impl Fn(u32, u32) -> bool) -> f64 {
    let mut by_failures = vec![1.0];
    let mut promoted = 0.0;
    for night in 1..=nights {
        by_failures.push(0.0);
        for failures in (1..by_failures.len()).rev() {
            by_failures[failures] = by_failures[failures] * rate + by_failures[failures - 1] * (1.0 - rate);
        }
        by_failures[0] *= rate;
        for (failures, probability) in (0..).zip(&mut by_failures) {
            if !decide(night - failures, failures) {
                break;
            }
            promoted += std::mem::take(probability);
        }
    }
    promoted
}

#[test]
fn the_exact_probability_of_a_false_promotion_is_within_the_error() {
    let at_the_bar = ever_promoted(0.95, 1_500, anytime);
    assert!((0.02..=0.05).contains(&at_the_bar), "{at_the_bar}");
    assert!(ever_promoted(0.949, 1_500, anytime) < at_the_bar);
    assert!(ever_promoted(0.95, 365, fixed) > 0.15);
}

#[test]
fn looking_every_night_at_a_fixed_sample_test_errs_far_more_often() {
    let peeked = promoted(BAR, fixed);
    assert!(peeked > 40, "{peeked} of {LANES}");
}

#[test]
fn a_lane_that_is_good_enough_is_promoted() {
    let good = promoted(Ratio::of_millionths(995_000), anytime);
    assert!(good > LANES * 95 / 100, "{good} of {LANES}");
}
