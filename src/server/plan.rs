//! What `serve` does now. Pure: the clock, the schedule and the ledger's nights are passed in.

use holdpoint_schemas::Timestamp;
use std::collections::BTreeSet;

use super::schedule::{Night, Schedule};
use crate::pipeline::night::Nights;

/// Nights looked ahead for one that isn't over.
const MAX_AHEAD: usize = 400;

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Run this night.
    Run(Night),
    /// Wait for this night.
    Wait(Night),
    /// The schedule has no more nights.
    Never,
}

/// What there is to do. `since`: when this process began to watch. A night before that was missed only if the estate
/// had nights before it: an estate that is new to `serve` waits for its first night.
#[must_use]
pub fn step(
    schedule: &Schedule,
    nights: &Nights,
    given_up: &BTreeSet<Timestamp>,
    since: Timestamp,
    now: Timestamp,
) -> Step {
    let is_done = |night: &Night| nights.is_over(night.id) || given_up.contains(&night.id);
    if let Some(night) = schedule.latest(now).filter(|night| !is_done(night))
        && (night.starts > since || nights.began_by(night.id))
    {
        return Step::Run(night);
    }
    match ahead(schedule, now, is_done) {
        Some(night) => Step::Wait(night),
        None => Step::Never,
    }
}

/// The next night that isn't over: after a clock jumped back, the coming ones may have been run already.
fn ahead(schedule: &Schedule, now: Timestamp, is_done: impl Fn(&Night) -> bool) -> Option<Night> {
    let nights = std::iter::successors(schedule.next(now), |night| schedule.next(night.starts));
    nights.take(MAX_AHEAD).find(|night| !is_done(night))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::night::{NightRecord, NightState};
    use holdpoint_schemas::nightly::ScheduleConfig;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn schedule() -> Schedule {
        let config: ScheduleConfig = serde_yaml::from_str("{cron: '30 2 * * *'}").unwrap();
        Schedule::compile(&config, "fintech").unwrap()
    }

    fn nights(records: &[(&str, NightState)]) -> Nights {
        let mut nights = Nights::default();
        for (night, state) in records {
            nights.record(NightRecord {
                night: at(night),
                state: *state,
            });
        }
        nights
    }

    fn decide(nights: &Nights, since: &str, now: &str) -> Step {
        step(&schedule(), nights, &BTreeSet::new(), at(since), at(now))
    }

    fn night(text: &str) -> Night {
        Night {
            id: at(text),
            starts: at(text),
        }
    }

    #[test]
    fn an_estate_that_is_new_to_it_waits_for_its_first_night() {
        let step = decide(&Nights::default(), "2026-03-17T09:00:00Z", "2026-03-17T09:00:00Z");
        assert_eq!(step, Step::Wait(night("2026-03-18T02:30:00Z")));
    }

    #[test]
    fn a_missed_night_is_run_once_and_those_before_it_not_at_all() {
        let mut known = nights(&[("2026-03-13T02:30:00Z", NightState::Finished)]);
        let step = |known: &Nights| decide(known, "2026-03-17T09:00:00Z", "2026-03-17T09:00:00Z");
        assert_eq!(step(&known), Step::Run(night("2026-03-17T02:30:00Z")));
        known.record(NightRecord {
            night: at("2026-03-17T02:30:00Z"),
            state: NightState::Finished,
        });
        assert_eq!(step(&known), Step::Wait(night("2026-03-18T02:30:00Z")));
    }

    #[test]
    fn a_night_that_was_killed_is_resumed_and_one_that_failed_is_not() {
        let since = "2026-03-17T03:00:00Z";
        let killed = nights(&[("2026-03-17T02:30:00Z", NightState::Started)]);
        assert_eq!(decide(&killed, since, since), Step::Run(night("2026-03-17T02:30:00Z")));
        let failed = nights(&[("2026-03-17T02:30:00Z", NightState::Failed)]);
        assert_eq!(decide(&failed, since, since), Step::Wait(night("2026-03-18T02:30:00Z")));
    }

    #[test]
    fn a_clock_that_jumps_back_runs_no_night_twice() {
        let known = nights(&[
            ("2026-03-16T02:30:00Z", NightState::Finished),
            ("2026-03-17T02:30:00Z", NightState::Finished),
        ]);
        let since = "2026-03-15T12:00:00Z";
        for now in ["2026-03-16T02:29:00Z", "2026-03-16T02:30:00Z", "2026-03-17T02:31:00Z"] {
            assert_eq!(
                decide(&known, since, now),
                Step::Wait(night("2026-03-18T02:30:00Z")),
                "{now}"
            );
        }
    }

    #[test]
    fn a_clock_that_was_far_ahead_costs_no_later_night() {
        let known = nights(&[("2036-03-17T02:30:00Z", NightState::Finished)]);
        let step = decide(&known, "2026-03-17T00:00:00Z", "2026-03-17T02:30:00Z");
        assert_eq!(step, Step::Run(night("2026-03-17T02:30:00Z")));
    }

    #[test]
    fn what_was_given_up_is_left_alone_until_the_next_night() {
        let given_up = BTreeSet::from([at("2026-03-17T02:30:00Z")]);
        let now = at("2026-03-17T02:40:00Z");
        let step = step(
            &schedule(),
            &Nights::default(),
            &given_up,
            at("2026-03-16T00:00:00Z"),
            now,
        );
        assert_eq!(step, Step::Wait(night("2026-03-18T02:30:00Z")));
    }
}
