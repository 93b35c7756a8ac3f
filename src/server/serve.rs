//! The loop: ask the clock, ask the ledger, run a night or wait for one.

use anyhow::Result;
use holdpoint_schemas::Timestamp;
use jiff::SignedDuration;
use std::collections::BTreeSet;
use tokio::sync::watch;

use super::clock::Clock;
use super::health::Health;
use super::plan::{Step, step};
use super::schedule::{Night, Schedule};
use crate::pipeline::night::Nights;

/// How soon a night is tried again that found the estate held by another run, or its ledger unreadable.
const TRY_AGAIN: SignedDuration = SignedDuration::from_secs(60);

/// How a night's run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// It has its report.
    Done(Numbers),
    /// Another run holds the estate: tried again until it is too late for this night.
    Busy,
    /// It broke off. It isn't tried again.
    Failed(String),
}

/// A run in numbers, for the metrics.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Numbers {
    /// Findings of level alert, suggest and auto-apply.
    pub levels: [usize; 3],
    /// Merged in this run.
    pub merged: usize,
    /// Not reached in its time.
    pub not_reached: usize,
    /// Open past their deadline.
    pub breached: usize,
    /// Notifications that couldn't be sent.
    pub unsent: usize,
}

/// What a night does. The loop knows nothing of estates.
pub trait Work {
    /// The nights that the ledger knows.
    ///
    /// # Errors
    /// When it can't be read now.
    fn nights(&self) -> Result<Nights>;

    /// Runs a night.
    fn run(&self, night: Night, now: Timestamp) -> impl Future<Output = End>;
}

/// Serves until `stop` turns true, or until the schedule has no more nights.
pub async fn serve<C: Clock, W: Work>(
    clock: &C,
    schedule: &Schedule,
    work: &W,
    health: &Health,
    mut stop: watch::Receiver<bool>,
) {
    let since = clock.now();
    let mut given_up = BTreeSet::new();
    while !*stop.borrow() {
        let now = clock.now();
        let nights = match work.nights() {
            Ok(nights) => nights,
            Err(error) => {
                health.trouble(&format!("the ledger can't be read: {error:#}"));
                wait(clock, now + TRY_AGAIN, &mut stop).await;
                continue;
            }
        };
        match step(schedule, &nights, &given_up, since, now) {
            Step::Run(night) => {
                health.running(night, now);
                let end = work.run(night, now).await;
                health.ended(&end, clock.now());
                match end {
                    // In the ledger, too; but a ledger that couldn't be written must not bring the night back.
                    End::Done(_) | End::Failed(_) => {
                        if !*stop.borrow() {
                            given_up.insert(night.id);
                        }
                    }
                    End::Busy => wait(clock, now + TRY_AGAIN, &mut stop).await,
                }
            }
            Step::Wait(night) => {
                health.waiting(night);
                wait(clock, night.starts, &mut stop).await;
            }
            Step::Never => {
                health.trouble("the schedule has no more nights");
                return;
            }
        }
    }
}

async fn wait<C: Clock>(clock: &C, until: Timestamp, stop: &mut watch::Receiver<bool>) {
    tokio::select! {
        () = clock.sleep_until(until) => {}
        // An error is that nobody can stop it any more; then it ends, too.
        _ = stop.wait_for(|stopped| *stopped) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::night::{NightRecord, NightState};
    use holdpoint_schemas::nightly::ScheduleConfig;
    use std::sync::Mutex;

    /// A clock that is set, and that a sleep sets on. `jumps`: what it shows after so many sleeps instead.
    struct TestClock {
        now: Mutex<Timestamp>,
        jumps: Mutex<Vec<(usize, Timestamp)>>,
        sleeps: Mutex<usize>,
        stop: watch::Sender<bool>,
        most: usize,
    }

    impl Clock for TestClock {
        fn now(&self) -> Timestamp {
            *self.now.lock().unwrap()
        }

        async fn sleep_until(&self, at: Timestamp) {
            let mut sleeps = self.sleeps.lock().unwrap();
            *sleeps += 1;
            let jump = self
                .jumps
                .lock()
                .unwrap()
                .iter()
                .find(|(after, _)| after == &*sleeps)
                .map(|(_, to)| *to);
            *self.now.lock().unwrap() = jump.unwrap_or(at);
            if *sleeps >= self.most {
                self.stop.send_replace(true);
            }
        }
    }

    #[derive(Default)]
    struct TestWork {
        nights: Mutex<Nights>,
        ran: Mutex<Vec<String>>,
        /// How the runs end, first to last; `Done` after that.
        ends: Mutex<Vec<End>>,
        forgetful: bool,
    }

    impl Work for TestWork {
        fn nights(&self) -> Result<Nights> {
            Ok(self.nights.lock().unwrap().clone())
        }

        async fn run(&self, night: Night, now: Timestamp) -> End {
            self.ran.lock().unwrap().push(format!("{} at {now}", night.id));
            let mut ends = self.ends.lock().unwrap();
            let end = if ends.is_empty() {
                End::Done(Numbers::default())
            } else {
                ends.remove(0)
            };
            let state = match end {
                End::Done(_) => NightState::Finished,
                End::Failed(_) => NightState::Failed,
                End::Busy => return end,
            };
            if !self.forgetful {
                self.nights
                    .lock()
                    .unwrap()
                    .record(NightRecord { night: night.id, state });
            }
            end
        }
    }

    async fn serve_with(work: &TestWork, from: &str, most: usize, jumps: &[(usize, &str)]) -> Vec<String> {
        let config: ScheduleConfig = serde_yaml::from_str("{cron: '30 2 * * *'}").unwrap();
        let schedule = Schedule::compile(&config, "fintech").unwrap();
        let (stop, stopped) = watch::channel(false);
        let clock = TestClock {
            now: Mutex::new(from.parse().unwrap()),
            jumps: Mutex::new(jumps.iter().map(|(after, to)| (*after, to.parse().unwrap())).collect()),
            sleeps: Mutex::new(0),
            stop,
            most,
        };
        serve(&clock, &schedule, work, &Health::default(), stopped).await;
        work.ran.lock().unwrap().clone()
    }

    #[tokio::test]
    async fn every_night_is_run_once_when_it_is_due() {
        let ran = serve_with(&TestWork::default(), "2026-03-15T12:00:00Z", 3, &[]).await;
        assert_eq!(
            ran,
            [
                "2026-03-16T02:30:00Z at 2026-03-16T02:30:00Z",
                "2026-03-17T02:30:00Z at 2026-03-17T02:30:00Z"
            ]
        );
    }

    #[tokio::test]
    async fn a_machine_that_slept_for_three_nights_makes_up_for_one() {
        let jumps = [(1, "2026-03-19T08:00:00Z")];
        let ran = serve_with(&TestWork::default(), "2026-03-15T12:00:00Z", 2, &jumps).await;
        assert_eq!(ran, ["2026-03-19T02:30:00Z at 2026-03-19T08:00:00Z"]);
    }

    #[tokio::test]
    async fn a_clock_that_jumps_back_brings_no_night_back() {
        for forgetful in [false, true] {
            let work = TestWork {
                forgetful,
                ..TestWork::default()
            };
            let jumps = [(2, "2026-03-16T02:00:00Z")];
            let ran = serve_with(&work, "2026-03-15T12:00:00Z", 4, &jumps).await;
            let nights: Vec<&str> = ran.iter().map(|run| run.split(' ').next().unwrap()).collect();
            assert_eq!(nights, ["2026-03-16T02:30:00Z", "2026-03-17T02:30:00Z"]);
        }
    }

    #[tokio::test]
    async fn a_night_waits_for_another_run_to_end_and_a_failed_one_is_over() {
        let work = TestWork::default();
        work.ends
            .lock()
            .unwrap()
            .extend([End::Busy, End::Failed("no policies".to_owned())]);
        let ran = serve_with(&work, "2026-03-15T12:00:00Z", 3, &[]).await;
        assert_eq!(
            ran,
            [
                "2026-03-16T02:30:00Z at 2026-03-16T02:30:00Z",
                "2026-03-16T02:30:00Z at 2026-03-16T02:31:00Z"
            ]
        );
    }

    #[tokio::test]
    async fn it_ends_when_it_is_told_to_while_it_waits() {
        let ran = serve_with(&TestWork::default(), "2026-03-15T12:00:00Z", 1, &[]).await;
        assert!(ran.is_empty());
    }
}
