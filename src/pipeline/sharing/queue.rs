//! The queue of validations in the ledger's database.

use anyhow::{Context, Result};
use holdpoint_ledger::{Claim, Lease, Ledger, LedgerError};
use holdpoint_schemas::{Digest, Timestamp};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::task::JoinHandle;

use crate::pipeline::record::{EVIDENCE, EvidenceEntry};
use crate::pipeline::store::{Location, told};

/// Name of the queue.
const QUEUE: &str = "validation";
/// Renewals in the time of one lease: two may fail.
const RENEWALS: u32 = 3;

/// The queue, on a connection of its own.
pub struct WorkQueue {
    ledger: Mutex<Ledger>,
    holder: String,
    ttl: Duration,
}

impl WorkQueue {
    /// The queue of an estate, for a holder that no other process has the name of; `None`: its ledger isn't shared.
    ///
    /// # Errors
    /// When the database can't be reached.
    pub fn open(location: &Location, holder: String) -> Result<Option<Arc<Self>>> {
        let Location::Postgres(_, ttl) = location else {
            return Ok(None);
        };
        Ok(Some(Arc::new(Self {
            ledger: Mutex::new(location.open_existing().map_err(told)?),
            holder,
            ttl: *ttl,
        })))
    }

    async fn ask<T: Send + 'static>(
        self: &Arc<Self>,
        question: impl FnOnce(&Self, &mut Ledger) -> Result<T, LedgerError> + Send + 'static,
    ) -> Result<Result<T, LedgerError>> {
        let queue = Arc::clone(self);
        tokio::task::spawn_blocking(move || {
            let mut ledger = queue.ledger.lock().unwrap_or_else(PoisonError::into_inner);
            question(&queue, &mut ledger)
        })
        .await
        .context("a question to the database broke off")
    }

    /// Puts work into the queue. Says which of it was done before.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn offer(self: &Arc<Self>, keys: Vec<Digest>) -> Result<Vec<Digest>> {
        self.ask(move |_, ledger| {
            let done = ledger.offer(QUEUE, keys.iter().map(Digest::as_str))?;
            let is_done = |key: &Digest| done.iter().any(|name| name == key.as_str());
            Ok(keys.into_iter().filter(is_done).collect())
        })
        .await?
        .map_err(Into::into)
    }

    /// Makes work that was done before work again.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn offer_again(self: &Arc<Self>, keys: Vec<Digest>) -> Result<()> {
        self.ask(move |_, ledger| ledger.offer_again(QUEUE, keys.iter().map(Digest::as_str)))
            .await?
            .map_err(Into::into)
    }

    /// Takes a piece of work.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn claim(self: &Arc<Self>, key: Digest) -> Result<Claim> {
        self.ask(move |queue, ledger| {
            ledger.claim_named((QUEUE, key.as_str()), &queue.holder, queue.ttl, Timestamp::now())
        })
        .await?
        .map_err(Into::into)
    }

    /// Whether there is work that nobody has.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn has_work(self: &Arc<Self>) -> Result<bool> {
        let (open, held) = self
            .ask(|_, ledger| ledger.open_work(QUEUE, Timestamp::now()))
            .await??;
        Ok(open > held)
    }

    /// Who runs the estate now, if it isn't this host.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn run_of_another(self: &Arc<Self>) -> Result<Option<String>> {
        let held = self
            .ask(|_, ledger| ledger.leased_to(crate::pipeline::store::RUN, Timestamp::now()))
            .await??;
        Ok(held.map(|(holder, _)| holder).filter(|holder| *holder != self.holder))
    }

    /// Keeps a lease from running out until the answer is dropped.
    pub fn renewing(self: &Arc<Self>, lease: &Lease) -> Renewing {
        let (queue, lease, ttl) = (Arc::clone(self), lease.clone(), self.ttl);
        Renewing(tokio::spawn(async move {
            loop {
                tokio::time::sleep(ttl / RENEWALS).await;
                let mut held = lease.clone();
                let renewed = queue
                    .ask(move |_, ledger| ledger.renew(&mut held, ttl, Timestamp::now()))
                    .await;
                match renewed {
                    Ok(Ok(())) => {}
                    // Whoever has it by now validates it; this one's result will be refused.
                    Ok(Err(error @ LedgerError::LeaseLost { .. })) => {
                        tracing::warn!("{error}");
                        return;
                    }
                    Ok(Err(error)) => tracing::warn!("the lease of a validation could not be renewed: {error}"),
                    Err(error) => tracing::warn!("the lease of a validation could not be renewed: {error:#}"),
                }
            }
        }))
    }

    /// Records evidence and that its work is done, in one. Whether the lease still held: otherwise nothing is recorded.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn finish(self: &Arc<Self>, lease: Lease, at: Timestamp, entries: Vec<EvidenceEntry>) -> Result<bool> {
        let finished = self
            .ask(move |_, ledger| ledger.finish(&lease, entries.iter().map(|entry| (EVIDENCE, at, entry))))
            .await?;
        match finished {
            Ok(_) => Ok(true),
            Err(error @ LedgerError::LeaseLost { .. }) => {
                tracing::warn!("a validation came too late: {error}");
                Ok(false)
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// A lease that is renewed.
pub struct Renewing(JoinHandle<()>);

impl Drop for Renewing {
    fn drop(&mut self) {
        self.0.abort();
    }
}
