//! The clock that `serve` asks when to wake.

use holdpoint_schemas::Timestamp;
use std::time::Duration;

/// Longest sleep before the clock is asked again: a machine may sleep, and a clock may be set.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

/// A clock.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;

    /// Sleeps until then, or less long: whoever sleeps asks again.
    fn sleep_until(&self, at: Timestamp) -> impl Future<Output = ()> + Send;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    async fn sleep_until(&self, at: Timestamp) {
        let left = Duration::try_from(at.duration_since(self.now())).unwrap_or_default();
        tokio::time::sleep(left.clamp(Duration::from_secs(1), LONGEST_SLEEP)).await;
    }
}
