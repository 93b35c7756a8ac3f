//! Staged rollout: which lane a finding is in, what that lane has earned, and what withholds a level tonight.
//!
//! Everything follows from the rollout file and the records, in the order in which they were recorded:
//! [`RolloutState::fold`] says where each lane stands, [`RolloutState::changes_due`] what has to be recorded now,
//! [`RolloutState::effective`] the rollout that decisions are made with, [`caps`] what withholds a level of one fix, and
//! [`admit`] which fixes tonight's budget has room for, in which order.
//!
//! It fails closed: what is unknown, unreadable, from the future or about other findings never raises a stage.

mod admit;
mod breaker;
mod canary;
mod caps;
pub mod confidence;
mod evaluate;
mod lane;
mod order;
mod soak;
mod state;
mod step;
mod tally;
mod track;
mod window;

pub use admit::{Admitted, admit};
pub use caps::{Candidate, caps};
pub use lane::{LaneChoice, lane_for};
pub use order::{Urgency, Waiting};
pub use soak::subjects;
pub use state::RolloutState;
pub use step::StepError;
pub use window::{NightSpan, night_of};

/// Who lowers and raises lanes by rule.
pub const AUTOMATION: &str = "holdpoint";
/// Where a lane's stage comes from while nothing is on record.
const FILE: &str = "rollout.yaml";

use holdpoint_schemas::Timestamp;
use jiff::SignedDuration;

/// So many days later; the end of time where that is later still.
fn days_after(at: Timestamp, days: u32) -> Timestamp {
    let duration = SignedDuration::from_hours(i64::from(days) * 24);
    at.checked_add(duration).unwrap_or(Timestamp::MAX)
}

/// So many days earlier; the beginning of time where that is earlier still.
fn days_before(at: Timestamp, days: u32) -> Timestamp {
    let duration = SignedDuration::from_hours(i64::from(days) * 24);
    at.checked_sub(duration).unwrap_or(Timestamp::MIN)
}

#[cfg(test)]
mod tests;
