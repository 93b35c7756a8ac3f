//! What a host does while another one runs the night.

use anyhow::Result;
use holdpoint_ledger::LedgerError;
use holdpoint_schemas::event::EventSink;
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;

use super::pool::{OthersWork, work_off};
use super::queue::WorkQueue;
use crate::failure::BadInput;
use crate::pipeline::session::{Session, blocking};
use crate::pipeline::state::Held;
use crate::pipeline::store::Location;
use crate::pipeline::validation;

/// How soon it is asked again whether there is work.
const ASK_AGAIN: Duration = Duration::from_secs(1);
/// How soon a host plans again that found nothing among the work that it could do.
const PLAN_AGAIN: Duration = Duration::from_secs(15);

/// What it did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Assisted {
    /// Who ran the estate; `None`: nobody did.
    pub run_of: Option<String>,
    /// Fixes that were validated here.
    pub validated: usize,
}

/// Validates what the run of another host offers, until that run is over. `wait`: how long it waits for one to begin.
///
/// # Errors
/// When the estate's ledger isn't shared, or the estate, the database or the sandbox can't be used.
pub async fn assist(
    root: &Path,
    agent: &Path,
    wait: Duration,
    events: Arc<dyn EventSink>,
    mut stop: watch::Receiver<bool>,
) -> Result<Assisted> {
    let began = Instant::now();
    let mut assisted = Assisted::default();
    let queue = loop {
        let folder = root.to_owned();
        match blocking(move || open(&folder)).await? {
            Some(queue) => break queue,
            // The first run ever makes the ledger.
            None if began.elapsed() >= wait || *stop.borrow() => return Ok(assisted),
            None => pause(ASK_AGAIN, &mut stop).await,
        }
    };
    let mut runner = None;
    let helping = async {
        while !*stop.borrow() {
            match queue.run_of_another().await? {
                None if assisted.run_of.is_some() || began.elapsed() >= wait => break,
                None => {
                    pause(ASK_AGAIN, &mut stop).await;
                    continue;
                }
                run => assisted.run_of = run,
            }
            if !queue.has_work().await? {
                pause(ASK_AGAIN, &mut stop).await;
                continue;
            }
            let found = pass(root, agent, &queue, &mut runner, &events, &mut stop).await?;
            assisted.validated += found;
            if found == 0 {
                pause(PLAN_AGAIN, &mut stop).await;
            }
        }
        anyhow::Ok(())
    };
    let ended = helping.await;
    // After an error, too: nothing may go on in the sandbox, and nobody wait for signals any more.
    match (runner, &ended) {
        (Some(runner), Ok(())) => runner.finish().await,
        (Some(runner), Err(_)) => runner.cut().await,
        (None, _) => {}
    }
    ended.map(|()| assisted)
}

async fn pause(time: Duration, stop: &mut watch::Receiver<bool>) {
    tokio::select! {
        () = tokio::time::sleep(time) => {}
        _ = stop.wait_for(|stopped| *stopped) => {}
    }
}

/// The queue; `None` as long as there is no ledger.
fn open(root: &Path) -> Result<Option<Arc<WorkQueue>>> {
    let (root, config) = crate::pipeline::estate::config(root)?;
    let state = crate::pipeline::state::State::take(&root.join(&config.state))?;
    let location = Location::of(&root, &config)?;
    if location.file().is_some() {
        return Err(BadInput::new(
            "the ledger of this estate is a file, so that no other host can offer work",
            "share it between hosts with `ledger.postgres` in `holdpoint.yaml`",
        )
        .into());
    }
    if let Err(LedgerError::Missing { .. }) = location.open_existing() {
        return Ok(None);
    }
    WorkQueue::open(&location, state.holder()?)
}

/// Plans as the run did, and does what of its work nobody has. How many fixes were validated.
async fn pass(
    root: &Path,
    agent: &Path,
    queue: &Arc<WorkQueue>,
    runner: &mut Option<validation::Runner>,
    events: &Arc<dyn EventSink>,
    stop: &mut watch::Receiver<bool>,
) -> Result<usize> {
    let (folder, agent): (PathBuf, PathBuf) = (root.to_owned(), agent.to_owned());
    let planned = blocking(move || Session::open_to_assist(&folder)?.plan(&[], &agent)).await;
    let (session, plan) = match planned {
        // Somebody on this host uses the state folder.
        Err(error) if error.chain().any(|cause| cause.is::<Held>()) => return Ok(0),
        planned => planned?,
    };
    let running = match runner {
        Some(running) => running,
        None => {
            let started = validation::Runner::start(&session.estate, "assist", Arc::clone(events)).await?;
            runner.insert(started)
        }
    };
    let jobs = plan.jobs_in_order().into_iter();
    let mut jobs: Vec<_> = jobs.map(|(fix, job)| (fix.clone(), job.clone())).collect();
    session.until_settled(&plan, &mut jobs);
    let pieces = super::pieces(jobs);
    let seats = session.estate.config.sandbox.at_once;
    let mut results = work_off(queue, running, pieces, seats, session.at, OthersWork::IsLeft);
    let mut validated = 0;
    loop {
        tokio::select! {
            finished = results.recv() => match finished {
                Some(finished) => {
                    let finished = finished?;
                    if finished.here {
                        validated += finished.piece.fixes.len();
                    }
                }
                None => return Ok(validated),
            },
            _ = stop.wait_for(|stopped| *stopped) => {
                if let Some(running) = runner.take() {
                    running.cut().await;
                }
                return Ok(validated);
            }
        }
    }
}
