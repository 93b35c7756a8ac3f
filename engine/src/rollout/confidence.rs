//! How sure one may be of a success rate, however often one looks.
//!
//! A lane is looked at every night, and promoted the first time that its evidence suffices. A bound for a fixed number
//! of outcomes (Clopper–Pearson) would then err far more often than it says: each look is another chance. This bound is
//! *anytime-valid*: the probability that it is *ever* above the true rate is at most `error`, whenever and however often
//! one looks and stops.
//!
//! # The bound
//! To ask whether the rate is above `r`, bet against "at most `r`" with a capital of 1: stake a share `u` of it on
//! success at fair odds, so that a success multiplies the capital by `1 + u (1 - r) / r` and a failure by `1 - u`. If the
//! rate is at most `r`, no bet gains on average (the capital is a supermartingale), and by Ville's inequality it ever
//! reaches `1 / error` with probability `error` at most. Nobody knows the best `u`, so the capital is spread evenly over all
//! of them; after `s` successes and `f` failures it is
//!
//! ```text
//! K(r) = ∫₀¹ (1 + u (1 - r) / r)^s (1 - u)^f du
//! ```
//!
//! which is the beta-binomial mixture likelihood ratio with the prior restricted to rates above `r`. It falls as `r`
//! rises, so the rates that are refuted (`K(r) ≥ 1 / error`) are those up to a bound: the lower confidence sequence.
//!
//! - I. Waudby-Smith, A. Ramdas: *Estimating means of bounded random variables by betting*, J. R. Stat. Soc. B 86 (2024),
//!   1–27, section 4: capital processes and the sets where they are small.
//! - S. R. Howard, A. Ramdas, J. McAuliffe, J. Sekhon: *Time-uniform, nonparametric, nonasymptotic confidence sequences*,
//!   Ann. Statist. 49 (2021), 1055–1080, section 3: one-sided conjugate mixtures.
//! - H. Robbins: *Statistical methods related to the law of the iterated logarithm*, Ann. Math. Statist. 41 (1970),
//!   1397–1409: mixtures of likelihood ratios.
//!
//! # The same on every machine
//! Integrating by parts gives a sum of positive terms, `Σ cᵏ · s!/(s-k)! · f!/(f+k+1)!` with `c = (1 - r) / r`, which takes
//! nothing but additions, multiplications and divisions: IEEE 754 rounds those alike everywhere, unlike logarithms. The
//! bound is a whole number of millionths, rounded down.

use holdpoint_schemas::rollout::Ratio;

/// Terms that are smaller than this part of the sum no longer change it. Leaving them out makes the bound lower.
const NEGLIGIBLE: f64 = 1e-18;
/// Most further successes that are foreseen.
const MAX_FORESEEN: u32 = 100_000;

/// The capital `K(rate)` that was won by betting on success against "the rate is at most `rate`", where it is below
/// `enough`; else at least `enough`.
fn capital(successes: u32, failures: u32, rate: Ratio, enough: f64) -> f64 {
    let rate = f64::from(rate.millionths()) / 1e6;
    let odds = (1.0 - rate) / rate;
    let (s, f) = (f64::from(successes), f64::from(failures));
    let mut term = 1.0 / (f + 1.0);
    let mut sum = term;
    let mut k = 0.0;
    while k < s && sum < enough {
        let factor = odds * (s - k) / (f + k + 2.0);
        term *= factor;
        sum += term;
        // The factors fall, so that all further terms are smaller still.
        if factor < 0.5 && term < sum * NEGLIGIBLE {
            break;
        }
        k += 1.0;
    }
    sum
}

/// Whether so many successes and failures refute "the rate is at most `rate`" with at most `error`, however often it was
/// asked before.
#[must_use]
pub fn surpasses(successes: u32, failures: u32, rate: Ratio, error: Ratio) -> bool {
    if error == Ratio::ZERO || successes == 0 {
        return false;
    }
    let enough = 1e6 / f64::from(error.millionths());
    capital(successes, failures, rate, enough) >= enough
}

/// The lower confidence bound on the success rate: it is ever above the true rate with a probability of at most
/// `error`.
#[must_use]
pub fn lower_bound(successes: u32, failures: u32, error: Ratio) -> Ratio {
    // The capital falls as the rate rises: the last rate that is refuted.
    let (mut refuted, mut open) = (0, Ratio::ONE.millionths());
    while open - refuted > 1 {
        let middle = refuted + (open - refuted) / 2;
        if surpasses(successes, failures, Ratio::of_millionths(middle), error) {
            refuted = middle;
        } else {
            open = middle;
        }
    }
    Ratio::of_millionths(refuted)
}

/// How many further successes, without a failure, it takes until the rate is surpassed. `None`: more than 100,000.
#[must_use]
pub fn successes_missing(successes: u32, failures: u32, rate: Ratio, error: Ratio) -> Option<u32> {
    let enough = |more: u32| surpasses(successes.saturating_add(more), failures, rate, error);
    if enough(0) {
        return Some(0);
    }
    let mut too_few = 0;
    let mut more = 1;
    while !enough(more) {
        if more >= MAX_FORESEEN {
            return None;
        }
        too_few = more;
        more = (more * 2).min(MAX_FORESEEN);
    }
    while more - too_few > 1 {
        let middle = too_few + (more - too_few) / 2;
        if enough(middle) {
            more = middle;
        } else {
            too_few = middle;
        }
    }
    Some(more)
}

#[cfg(test)]
mod tests;
