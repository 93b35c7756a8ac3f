//! What one host does of the shared work: as many pieces at once as it has seats.

use anyhow::Result;
use holdpoint_ledger::{Claim, Lease};
use holdpoint_schemas::{Digest, Timestamp};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc;

use super::queue::WorkQueue;
use crate::pipeline::record::EvidenceEntry;
use crate::pipeline::validation::{Hand, Job, Runner};

/// How soon it is asked again whether others are done.
const ASK_AGAIN: Duration = Duration::from_millis(500);

/// A piece of work: a job, and the fixes that it is the job of.
#[derive(Clone)]
pub struct Piece {
    /// The fixes.
    pub fixes: Vec<Digest>,
    /// Their job.
    pub job: Job,
}

/// A piece whose evidence is in the ledger.
pub struct Finished {
    /// The piece.
    pub piece: Piece,
    /// Whether it was validated by this host, since the work began.
    pub here: bool,
}

/// What is done about pieces that another host has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OthersWork {
    /// They are waited for, and taken over when that host falls silent.
    IsWaitedFor,
    /// They are left to it.
    IsLeft,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    Open,
    UnderWay,
    Done,
}

struct Pool {
    queue: Arc<WorkQueue>,
    hand: Hand,
    pieces: Vec<Piece>,
    turns: Mutex<Vec<Turn>>,
    at: Timestamp,
    others: OthersWork,
}

/// What a seat does next.
enum Next {
    Validate(usize, Lease),
    /// Another host finished it.
    Told(usize),
    Wait,
    End,
}

/// Works off the pieces. Each comes back once its evidence is in the ledger, whoever put it there.
pub fn work_off(
    queue: &Arc<WorkQueue>,
    runner: &Runner,
    pieces: Vec<Piece>,
    seats: usize,
    at: Timestamp,
    others: OthersWork,
) -> mpsc::Receiver<Result<Finished>> {
    let (sender, receiver) = mpsc::channel(pieces.len().max(1));
    let pool = Arc::new(Pool {
        queue: Arc::clone(queue),
        hand: runner.hand(),
        turns: Mutex::new(vec![Turn::Open; pieces.len()]),
        pieces,
        at,
        others,
    });
    for _ in 0..seats.max(1) {
        let (pool, sender) = (Arc::clone(&pool), sender.clone());
        runner.start_work(async move {
            if let Err(error) = pool.take_a_seat(&sender).await {
                let _ = sender.send(Err(error)).await;
            }
        });
    }
    receiver
}

impl Pool {
    async fn take_a_seat(&self, results: &mpsc::Sender<Result<Finished>>) -> Result<()> {
        loop {
            let done = match self.next().await? {
                Next::End => return Ok(()),
                Next::Wait => {
                    tokio::time::sleep(ASK_AGAIN).await;
                    None
                }
                Next::Told(index) => Some((index, false)),
                Next::Validate(index, lease) => self.validate(index, lease).await?.then_some((index, true)),
            };
            if let Some((index, here)) = done
                && let Some(piece) = self.pieces.get(index).cloned()
            {
                // Nobody listens any more once the run's time is over.
                let _ = results.send(Ok(Finished { piece, here })).await;
            }
        }
    }

    async fn next(&self) -> Result<Next> {
        let mut is_held = false;
        for (index, piece) in self.pieces.iter().enumerate() {
            if !self.begin(index) {
                continue;
            }
            match self.queue.claim(piece.job.key.clone()).await {
                Ok(Claim::Given(lease)) => return Ok(Next::Validate(index, lease)),
                Ok(Claim::Done) => {
                    self.set(index, Turn::Done);
                    return Ok(Next::Told(index));
                }
                Ok(Claim::Held) => {
                    is_held = true;
                    self.set(index, Turn::Open);
                }
                Ok(Claim::Absent) => self.set(index, Turn::Done),
                Err(error) => {
                    self.set(index, Turn::Open);
                    return Err(error);
                }
            }
        }
        Ok(if is_held && self.others == OthersWork::IsWaitedFor {
            Next::Wait
        } else {
            Next::End
        })
    }

    /// Validates a piece. Whether its evidence counts: not when another host took it for dead meanwhile.
    async fn validate(&self, index: usize, lease: Lease) -> Result<bool> {
        let Some(piece) = self.pieces.get(index) else {
            return Ok(false);
        };
        let renewing = self.queue.renewing(&lease);
        let record = self.hand.validate(&piece.job).await;
        drop(renewing);
        let entry = |fix: &Digest| EvidenceEntry {
            key: piece.job.key.clone(),
            fix: fix.clone(),
            record: record.clone(),
        };
        let entries = piece.fixes.iter().map(entry).collect();
        let counts = self.queue.finish(lease, self.at, entries).await?;
        self.set(index, if counts { Turn::Done } else { Turn::Open });
        Ok(counts)
    }

    /// Takes a piece for one of this host's seats. Whether no other one has it.
    fn begin(&self, index: usize) -> bool {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        match turns.get_mut(index) {
            Some(turn) if *turn == Turn::Open => {
                *turn = Turn::UnderWay;
                true
            }
            _ => false,
        }
    }

    fn set(&self, index: usize, to: Turn) {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(turn) = turns.get_mut(index) {
            *turn = to;
        }
    }
}
