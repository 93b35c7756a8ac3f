//! A night's validations, shared by the hosts of an estate whose ledger is in a database.
//!
//! One host's run has the estate: it alone decides, proposes and merges. What it has to validate it offers as work, each
//! piece named by the key of everything that its evidence depends on. Other hosts plan the same night by the same
//! ledger, without writing anything, and take the pieces whose keys they arrive at themselves: a host whose policies,
//! repos or scanners are others finds no piece that it could do. A piece is done when its evidence is in the ledger,
//! which happens in one transaction and only while its lease holds, so once.

mod assist;
mod pool;
mod queue;

pub use assist::{Assisted, assist};
pub use pool::{Piece, work_off};
pub use queue::WorkQueue;

use anyhow::{Context, Result};
use holdpoint_schemas::Digest;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::evidence::{Validated, is_final, next};
use super::run::RunOptions;
use super::session::Session;
use super::settled::is_enough;
use super::store::Location;
use super::validation::{Job, Runner};

impl Session {
    /// The queue that other hosts take work from; `None` where there is none, or no work.
    ///
    /// # Errors
    /// When the database can't be reached.
    pub fn work_queue(&self, jobs: &[(Digest, Job)]) -> Result<Option<Arc<WorkQueue>>> {
        if jobs.is_empty() {
            return Ok(None);
        }
        let location = Location::of(&self.estate.root, &self.estate.config)?;
        WorkQueue::open(&location, self.state.holder()?)
    }

    /// Offers the jobs to every host, and does its part of them. Whether there was time for all.
    ///
    /// # Errors
    /// When the database or the ledger fails.
    pub async fn validate_shared(
        &mut self,
        queue: Arc<WorkQueue>,
        jobs: Vec<(Digest, Job)>,
        options: &RunOptions,
        runner: &Runner,
        validated: &mut Validated,
    ) -> Result<bool> {
        let mut pieces = pieces(jobs);
        let keys: Vec<Digest> = pieces.iter().map(|piece| piece.job.key.clone()).collect();
        let done: BTreeSet<Digest> = queue.offer(keys).await?.into_iter().collect();
        // What an earlier run left to a host that was still at it may be there by now.
        let history = self.history()?;
        pieces.retain(|piece| {
            let known = history.evidence.get(&piece.job.key);
            let known = known.filter(|record| is_final(record) && is_enough(&piece.job, record));
            for fix in &piece.fixes {
                if let Some(record) = known {
                    validated.not_reached.remove(fix);
                    validated.evidence.insert(fix.clone(), record.clone());
                }
            }
            known.is_none()
        });
        let stale = pieces.iter().map(|piece| piece.job.key.clone());
        queue
            .offer_again(stale.filter(|key| done.contains(key)).collect())
            .await?;
        let seats = self.estate.config.sandbox.at_once;
        let mut results = work_off(&queue, runner, pieces, seats, self.at, pool::OthersWork::IsWaitedFor);
        loop {
            match next(&mut results, &options.window).await {
                Ok(Some(finished)) => {
                    let piece = finished?.piece;
                    let history = self.history()?;
                    let record = (history.evidence.get(&piece.job.key))
                        .with_context(|| format!("evidence {} is not in the ledger", piece.job.key.short()))?;
                    for fix in &piece.fixes {
                        validated.not_reached.remove(fix);
                        validated.evidence.insert(fix.clone(), record.clone());
                    }
                }
                Ok(None) => return Ok(true),
                Err(_) => return Ok(false),
            }
        }
    }
}

/// Jobs as pieces of work, in their order: fixes with the same job are one piece.
fn pieces(jobs: impl IntoIterator<Item = (Digest, Job)>) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    let mut places: BTreeMap<Digest, usize> = BTreeMap::new();
    for (fix, job) in jobs {
        match places.get(&job.key).and_then(|place| pieces.get_mut(*place)) {
            Some(piece) => piece.fixes.push(fix),
            None => {
                places.insert(job.key.clone(), pieces.len());
                pieces.push(Piece { fixes: vec![fix], job });
            }
        }
    }
    pieces
}
