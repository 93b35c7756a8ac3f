//! Bounds on what goes through: bytes in total, and time without any.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

/// Bytes that may still go each way, all connections together.
#[derive(Debug)]
pub(super) struct Budget {
    up: AtomicU64,
    down: AtomicU64,
}

impl Budget {
    pub(super) fn new(up: u64, down: u64) -> Self {
        Self {
            up: AtomicU64::new(up),
            down: AtomicU64::new(down),
        }
    }

    pub(super) fn is_spent(&self) -> bool {
        [&self.up, &self.down]
            .iter()
            .any(|left| left.load(Ordering::Relaxed) == 0)
    }

    fn spend(left: &AtomicU64, bytes: usize) -> io::Result<()> {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        let before = left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                Some(left.saturating_sub(bytes))
            })
            .unwrap_or(0);
        if before < bytes {
            return Err(io::Error::other("the transfer limit is used up"));
        }
        Ok(())
    }
}

/// When something last went through.
#[derive(Debug)]
struct Activity {
    began: Instant,
    /// Milliseconds after `began`.
    last: AtomicU64,
}

/// A connection to a host whose bytes are counted.
pub(super) struct Metered<S> {
    inner: S,
    budget: Arc<Budget>,
    activity: Arc<Activity>,
}

impl<S> Metered<S> {
    pub(super) fn new(inner: S, budget: Arc<Budget>) -> Self {
        let activity = Arc::new(Activity {
            began: Instant::now(),
            last: AtomicU64::new(0),
        });
        Self {
            inner,
            budget,
            activity,
        }
    }

    /// Resolves when nothing went through for this long.
    pub(super) fn idle(&self, limit: Duration) -> impl Future<Output = ()> + Send + use<S> {
        let activity = Arc::clone(&self.activity);
        async move {
            loop {
                let last = Duration::from_millis(activity.last.load(Ordering::Relaxed));
                let until = activity.began + last + limit;
                if until <= Instant::now() {
                    return;
                }
                tokio::time::sleep_until(until).await;
            }
        }
    }

    fn moved(&self) {
        let millis = u64::try_from(self.activity.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.activity.last.store(millis, Ordering::Relaxed);
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Metered<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.inner).poll_read(context, buffer);
        if let Poll::Ready(Ok(())) = polled {
            let read = buffer.filled().len().saturating_sub(before);
            self.moved();
            Budget::spend(&self.budget.down, read)?;
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Metered<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.inner).poll_write(context, bytes);
        if let Poll::Ready(Ok(written)) = polled {
            self.moved();
            Budget::spend(&self.budget.up, written)?;
        }
        polled
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    #[tokio::test]
    async fn the_budget_is_of_all_connections_together() {
        let budget = Arc::new(Budget::new(6, 3));
        let connection = || {
            let (near, far) = tokio::io::duplex(64);
            (Metered::new(near, Arc::clone(&budget)), far)
        };
        let ((mut one, _far_one), (mut two, mut far_two)) = (connection(), connection());
        one.write_all(b"1234").await.unwrap();
        assert!(two.write_all(b"5678").await.is_err());
        assert!(budget.is_spent());
        far_two.write_all(b"123").await.unwrap();
        let mut buffer = [0; 3];
        two.read_exact(&mut buffer).await.unwrap();
        far_two.write_all(b"4").await.unwrap();
        assert!(two.read_u8().await.is_err());
    }

    #[tokio::test]
    async fn a_silent_connection_is_idle() {
        let (near, _far) = tokio::io::duplex(64);
        let metered = Metered::new(near, Arc::new(Budget::new(1, 1)));
        metered.idle(Duration::ZERO).await;
    }
}
