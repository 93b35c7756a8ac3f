use super::*;
use proptest::prelude::*;

const BAR: Ratio = Ratio::percent(95);
const ERROR: Ratio = Ratio::percent(5);

/// The capital by Simpson's rule on the integral itself: another way to the same number.
fn integral(successes: u32, failures: u32, rate: f64) -> f64 {
    let odds = (1.0 - rate) / rate;
    let at = |u: f64| (1.0 + odds * u).powi(successes as i32) * (1.0 - u).powi(failures as i32);
    let (steps, width) = (20_000, 1.0 / 20_000.0);
    let inner = (1..steps).map(|i| at(f64::from(i) * width) * if i % 2 == 1 { 4.0 } else { 2.0 });
    (at(0.0) + at(1.0) + inner.sum::<f64>()) * width / 3.0
}

#[test]
fn the_sum_is_the_integral() {
    for (successes, failures, rate) in [
        (0, 0, 950_000),
        (1, 0, 500_000),
        (40, 2, 900_000),
        (300, 9, 950_000),
        (5, 60, 300_000),
    ] {
        let sum = capital(successes, failures, Ratio::of_millionths(rate), f64::INFINITY);
        let exact = integral(successes, failures, f64::from(rate) / 1e6);
        assert!(
            (sum / exact - 1.0).abs() < 1e-6,
            "{successes}/{failures}: {sum} and {exact}"
        );
    }
}

#[test]
fn a_fair_bet_gains_nothing_on_average() {
    // K after one more outcome, weighted by the rate itself, is K before: the capital is a martingale at the bar.
    for (successes, failures) in [(0, 0), (3, 1), (50, 2), (7, 30)] {
        let at = |s, f| capital(s, f, BAR, f64::INFINITY);
        let next = 0.95 * at(successes + 1, failures) + 0.05 * at(successes, failures + 1);
        assert!((next / at(successes, failures) - 1.0).abs() < 1e-12);
    }
}

#[test]
fn known_bounds_stay_what_they_are() {
    let bound = |s, f| lower_bound(s, f, ERROR).millionths();
    assert_eq!(
        (bound(0, 0), bound(0, 50), lower_bound(9, 0, Ratio::ZERO)),
        (0, 0, Ratio::ZERO)
    );
    assert_eq!(successes_missing(0, 0, BAR, ERROR), Some(PERFECT));
    assert!(bound(PERFECT, 0) >= 950_000 && bound(PERFECT - 1, 0) < 950_000);
    assert_eq!(successes_missing(0, 0, Ratio::ONE, ERROR), None);
    assert_eq!(successes_missing(1_000, 0, BAR, ERROR), Some(0));
}

/// How many fixes in a row must survive for a bar of 95% with an error of 5%. A fixed-sample test, looked at once, takes
/// 59 (0.95^59 < 0.05).
const PERFECT: u32 = 88;

#[test]
fn huge_counts_neither_overflow_nor_loop() {
    assert!(lower_bound(u32::MAX, 0, ERROR) > Ratio::percent(99));
    assert!(surpasses(3_000_000, 0, Ratio::percent(50), ERROR));
    assert!(!surpasses(1_000_000, 1_000_000, Ratio::percent(50), ERROR));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn more_successes_raise_and_more_failures_lower_the_bound(s in 0..400_u32, f in 0..40_u32, error in 1..300_000_u32) {
        let error = Ratio::of_millionths(error);
        let bound = lower_bound(s, f, error);
        prop_assert!(lower_bound(s + 1, f, error) >= bound);
        prop_assert!(lower_bound(s, f + 1, error) <= bound);
        prop_assert!(lower_bound(s, f, Ratio::of_millionths(error.millionths() / 2)) <= bound);
        if s > 0 {
            prop_assert!(f64::from(bound.millionths()) / 1e6 <= f64::from(s) / f64::from(s + f));
        }
    }

    #[test]
    fn the_bound_is_where_the_test_turns(s in 1..400_u32, f in 0..40_u32) {
        let bound = lower_bound(s, f, ERROR);
        let above = Ratio::of_millionths(bound.millionths() + 1);
        prop_assert!(bound == Ratio::ZERO || surpasses(s, f, bound, ERROR));
        prop_assert!(!surpasses(s, f, above, ERROR));
    }

    #[test]
    fn what_is_missing_is_just_enough(s in 0..60_u32, f in 0..6_u32, bar in 50..99_u32) {
        let bar = Ratio::percent(bar);
        let missing = successes_missing(s, f, bar, ERROR).unwrap();
        prop_assert!(surpasses(s + missing, f, bar, ERROR));
        prop_assert!(missing == 0 || !surpasses(s + missing - 1, f, bar, ERROR));
    }
}
