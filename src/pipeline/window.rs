//! The time that a run may take, and how it is shared out.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::report::Outcome;

/// Share of the limit that is kept for deciding and acting once nothing more is validated: one part in so many.
const KEPT_FOR_ACTS: u32 = 10;
/// Longest time that is kept for that.
const MOST_KEPT: Duration = Duration::from_secs(15 * 60);

/// What was not done says this.
pub const NOT_REACHED: &str = "not reached: the run's time was over";

/// Whether an outcome is that the time was over.
#[must_use]
pub fn is_not_reached(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::NotDone { why } if why == NOT_REACHED)
}

/// Time since a run began. Its clock is steady: one that is set back or forward while the run goes on changes nothing.
#[derive(Clone)]
pub struct Window {
    limit: Option<Duration>,
    elapsed: Arc<dyn Fn() -> Duration + Send + Sync>,
    stopped: Arc<AtomicBool>,
}

impl Window {
    /// A window that begins now.
    #[must_use]
    pub fn starting(limit: Option<Duration>) -> Self {
        let started = Instant::now();
        Self::with(limit, move || started.elapsed())
    }

    /// A window whose clock is given.
    #[must_use]
    pub fn with(limit: Option<Duration>, elapsed: impl Fn() -> Duration + Send + Sync + 'static) -> Self {
        Self {
            limit,
            elapsed: Arc::new(elapsed),
            stopped: Arc::default(),
        }
    }

    /// Closes it: the process was told to end.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::SeqCst);
    }

    /// Whether it was closed before its time. The night isn't over then.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::SeqCst)
    }

    /// The limit.
    #[must_use]
    pub const fn limit(&self) -> Option<Duration> {
        self.limit
    }

    /// Time left for validating; `None`: as long as it takes.
    #[must_use]
    pub fn left_to_validate(&self) -> Option<Duration> {
        if self.is_stopped() {
            return Some(Duration::ZERO);
        }
        let limit = self.limit?;
        let kept = (limit / KEPT_FOR_ACTS).min(MOST_KEPT);
        Some((limit - kept).saturating_sub((self.elapsed)()))
    }

    /// Whether nothing more may be begun.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.is_stopped() || self.limit.is_some_and(|limit| (self.elapsed)() >= limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicU64;

    fn window(limit: Option<u64>) -> (Window, Arc<AtomicU64>) {
        let clock = Arc::new(AtomicU64::new(0));
        let read = Arc::clone(&clock);
        let elapsed = move || Duration::from_secs(read.load(Ordering::SeqCst));
        (Window::with(limit.map(Duration::from_secs), elapsed), clock)
    }

    #[test]
    fn validation_leaves_time_for_the_acts() {
        let (window, clock) = window(Some(600));
        assert_eq!(window.left_to_validate(), Some(Duration::from_secs(540)));
        clock.store(541, Ordering::SeqCst);
        assert_eq!(window.left_to_validate(), Some(Duration::ZERO));
        assert!(!window.is_over());
        clock.store(600, Ordering::SeqCst);
        assert!(window.is_over());
    }

    #[test]
    fn a_long_night_keeps_no_more_than_a_quarter_of_an_hour() {
        let (window, _) = window(Some(8 * 3_600));
        assert_eq!(window.left_to_validate(), Some(Duration::from_secs(8 * 3_600 - 900)));
    }

    #[test]
    fn without_a_limit_a_run_takes_as_long_as_it_takes() {
        let (window, clock) = window(None);
        clock.store(u64::MAX / 2, Ordering::SeqCst);
        assert!(!window.is_over() && window.left_to_validate().is_none());
    }

    #[test]
    fn a_process_that_is_told_to_end_begins_nothing_more() {
        let (window, _) = window(None);
        window.clone().stop();
        assert!(window.is_over() && window.is_stopped());
        assert_eq!(window.left_to_validate(), Some(Duration::ZERO));
    }
}
