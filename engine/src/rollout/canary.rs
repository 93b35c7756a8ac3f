//! Which share of a lane's fixes is auto-applied, and whether a fix is in it.

use holdpoint_schemas::Digest;
use holdpoint_schemas::rollout::{Canary, Ratio};

/// The share that holds after so many successes without a failure between them.
pub(super) fn share(canary: &Canary, streak: u32) -> Ratio {
    let step = streak / canary.outcomes.max(1);
    let last = canary.shares.len().saturating_sub(1);
    let step = usize::try_from(step).unwrap_or(usize::MAX).min(last);
    canary.shares.get(step).copied().unwrap_or(Ratio::ZERO)
}

/// Whether a finding is in the share: by a stable hash, so that it is the same every night, and a larger share holds all
/// of a smaller one.
pub(super) fn holds(lane: &str, finding: &str, share: Ratio) -> bool {
    let digest = Digest::of_parts([lane.as_bytes(), finding.as_bytes()]);
    let number = digest
        .as_str()
        .get(..10)
        .and_then(|hex| u64::from_str_radix(hex, 16).ok());
    // 40 bits, scaled to millionths; what can't be told is outside.
    let place = number.map_or(u64::from(Ratio::ONE.millionths()), |number| (number * 1_000_000) >> 40);
    place < u64::from(share.millionths())
}
