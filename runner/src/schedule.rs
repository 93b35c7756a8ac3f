//! Several candidates at once, within the CPUs and the memory that there are.
//!
//! Cheapest first, because a cheap candidate that is settled helps soonest; but who waits is served
//! in the order of asking, so that a big one is never overtaken for ever by small ones.

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use std::future::Future;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use crate::sandbox::Limits;

/// Where Linux says how much memory there is (proc_meminfo(5)).
const MEMINFO: &str = "/proc/meminfo";
/// Memory assumed where that can't be read: what one step takes by default.
const UNKNOWN_MEMORY_MIB: u64 = 2048;
/// Share of the machine's memory that steps may take, in percent: the engine, the page cache and
/// Holdpoint itself need the rest.
const MEMORY_PERCENT: u64 = 75;
/// What one CPU counts for, in thousandths.
const CPU_UNITS: usize = 2000;
/// Most CPUs or MiB counted: far beyond any machine, far below what a semaphore counts.
const MAX_UNITS: u64 = 1 << 28;

/// What one running step may take, or what there is for all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Weight {
    /// CPUs, in thousandths.
    pub cpu_millis: u32,
    /// Memory in MiB.
    pub memory_mib: u64,
}

impl From<&Limits> for Weight {
    fn from(limits: &Limits) -> Self {
        Self {
            cpu_millis: limits.cpu_millis,
            memory_mib: limits.memory_mib,
        }
    }
}

impl Weight {
    /// What this machine has for steps: each CPU twice and three quarters of its memory. A step's CPUs are what it
    /// may use at most: much of its time is the engine starting and ending it, or one process at a time, and
    /// what two steps want at once is shared by the kernel. Memory can't be shared like that.
    #[must_use]
    pub fn of_machine() -> Self {
        let cpus = std::thread::available_parallelism().map_or(1, usize::from);
        let memory = std::fs::read_to_string(MEMINFO)
            .ok()
            .as_deref()
            .and_then(total_mib)
            .map_or(UNKNOWN_MEMORY_MIB, |mib| mib * MEMORY_PERCENT / 100);
        Self {
            cpu_millis: u32::try_from(cpus.saturating_mul(CPU_UNITS)).unwrap_or(u32::MAX),
            memory_mib: memory,
        }
    }

    /// Semaphore units, each at least 1, at most what `capacity` has: one that is larger than the
    /// machine runs alone instead of never.
    fn units(self, capacity: Self) -> (u32, u32) {
        let unit =
            |wanted: u64, there: u64| u32::try_from(wanted.clamp(1, there.clamp(1, MAX_UNITS))).unwrap_or(u32::MAX);
        (
            unit(u64::from(self.cpu_millis), u64::from(capacity.cpu_millis)),
            unit(self.memory_mib, capacity.memory_mib),
        )
    }
}

/// `MemTotal` of `/proc/meminfo`, which is in KiB although it says kB.
fn total_mib(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kib: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kib / 1024)
}

/// CPUs and memory that all running candidates share. Clones share the same budget.
#[derive(Debug, Clone)]
pub struct Budget {
    capacity: Weight,
    cpu: Arc<Semaphore>,
    memory: Arc<Semaphore>,
}

/// A share of a [`Budget`]; dropping it gives it back.
#[derive(Debug)]
pub struct Share {
    _cpu: OwnedSemaphorePermit,
    _memory: OwnedSemaphorePermit,
}

/// The work was given up before it began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it was cancelled before it began")]
pub struct Cancelled;

impl Budget {
    /// A budget of `capacity`; what is 0 in it counts as 1.
    #[must_use]
    pub fn new(capacity: Weight) -> Self {
        let (cpu, memory) = capacity.units(capacity);
        Self {
            capacity,
            cpu: Arc::new(Semaphore::new(cpu as usize)),
            memory: Arc::new(Semaphore::new(memory as usize)),
        }
    }

    /// Waits for a share of this weight, behind everybody who asked before. What weighs more than
    /// the whole budget gets the whole budget.
    ///
    /// Everybody takes CPUs first and memory second, and both queues are first come, first served
    /// (which tokio's semaphore promises): nobody is starved, and nobody waits in a circle.
    ///
    /// # Errors
    /// [`Cancelled`] when `cancel` is cancelled first.
    pub async fn share(&self, weight: Weight, cancel: &CancellationToken) -> Result<Share, Cancelled> {
        let (cpu, memory) = weight.units(self.capacity);
        let taken = async {
            let cpu = Arc::clone(&self.cpu).acquire_many_owned(cpu).await.ok()?;
            let memory = Arc::clone(&self.memory).acquire_many_owned(memory).await.ok()?;
            Some(Share {
                _cpu: cpu,
                _memory: memory,
            })
        };
        tokio::select! {
            biased;
            () = cancel.cancelled() => Err(Cancelled),
            share = taken => share.ok_or(Cancelled),
        }
    }

    /// What nobody holds at the moment: CPUs in thousandths, memory in MiB.
    #[must_use]
    pub fn free(&self) -> Weight {
        Weight {
            cpu_millis: u32::try_from(self.cpu.available_permits()).unwrap_or(u32::MAX),
            memory_mib: self.memory.available_permits() as u64,
        }
    }
}

/// One piece of work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job<T> {
    /// What to do.
    pub work: T,
    /// Wall time that it will take in milliseconds, as far as that is known: what it took last
    /// time, or a guess by the checks it has to run.
    pub expected_millis: u64,
    /// What its steps may take.
    pub weight: Weight,
}

/// The order in which jobs begin, as indexes: cheapest first by time × CPUs, then as given.
#[must_use]
pub fn order<T>(jobs: &[Job<T>]) -> Vec<usize> {
    let mut order: Vec<(u128, usize)> = jobs.iter().enumerate().map(|(index, job)| (cost(job), index)).collect();
    order.sort_unstable();
    order.into_iter().map(|(_, index)| index).collect()
}

fn cost<T>(job: &Job<T>) -> u128 {
    u128::from(job.expected_millis) * u128::from(job.weight.cpu_millis.max(1))
}

/// Runs all jobs, at most `at_once` together (at least one) and within the budget. Results are in the order of
/// `jobs`; what hadn't begun when `cancel` was cancelled is [`Cancelled`]. What has begun isn't
/// interrupted: `run` watches `cancel` itself, so that it can clean up.
pub async fn run_all<T, R, F, Fut>(
    jobs: Vec<Job<T>>,
    budget: &Budget,
    at_once: usize,
    cancel: &CancellationToken,
    run: F,
) -> Vec<Result<R, Cancelled>>
where
    F: Fn(T) -> Fut,
    Fut: Future<Output = R>,
{
    let mut results: Vec<Result<R, Cancelled>> = jobs.iter().map(|_| Err(Cancelled)).collect();
    let order = order(&jobs);
    let mut waiting: Vec<Option<Job<T>>> = jobs.into_iter().map(Some).collect();
    let mut next = order
        .into_iter()
        .filter_map(|index| Some((index, waiting.get_mut(index)?.take()?)));
    let run = &run;
    let begin = |(index, job): (usize, Job<T>)| async move {
        let done = match budget.share(job.weight, cancel).await {
            Ok(_share) => Ok(run(job.work).await),
            Err(cancelled) => Err(cancelled),
        };
        (index, done)
    };
    let mut running: FuturesUnordered<_> = next.by_ref().take(at_once.max(1)).map(begin).collect();
    while let Some((index, done)) = running.next().await {
        if let Some(slot) = results.get_mut(index) {
            *slot = done;
        }
        running.extend(next.next().map(begin));
    }
    results
}

#[cfg(test)]
mod tests;
