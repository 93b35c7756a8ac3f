//! What every sandbox must do, written once: cases that only use the trait, and need no more of the image
//! than a POSIX shell, the usual small tools and `stat`. The tests run them against Docker and the local
//! sandbox, `ci/kubernetes` against a cluster.

mod ends;
mod files;
mod output;
mod snapshots;
mod support;
mod workspace;

use futures_util::StreamExt as _;
use futures_util::future::LocalBoxFuture;
use std::time::{Duration, Instant};

use crate::sandbox::Sandbox;

/// Cases at a time: enough to find what steps do to each other, few enough for a small machine.
const AT_ONCE: usize = 3;
/// For one case; a cluster may have to pull an image first.
const PATIENCE: Duration = Duration::from_secs(300);

/// What came of one case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseResult {
    /// What the sandbox must do, as a sentence.
    pub name: &'static str,
    /// What it did instead, if it didn't.
    pub failure: Option<String>,
    /// Wall time in milliseconds.
    pub millis: u64,
}

type CaseFuture<'a> = LocalBoxFuture<'a, Result<(), String>>;

/// One thing that a sandbox must do.
struct Case {
    name: &'static str,
    run: for<'a> fn(&'a dyn Sandbox) -> CaseFuture<'a>,
}

/// All cases, in the order of [`run`]'s answer.
fn cases() -> impl Iterator<Item = &'static Case> {
    [
        workspace::CASES,
        ends::CASES,
        output::CASES,
        files::CASES,
        snapshots::CASES,
    ]
    .into_iter()
    .flatten()
}

/// Runs every case. They make workspaces and snapshots of their own and remove them, also where a case fails.
/// The sandbox must have all controls in force, keep snapshots, and give a workspace a disk of at most 128 MiB.
pub async fn run(sandbox: &dyn Sandbox) -> Vec<CaseResult> {
    futures_util::stream::iter(cases())
        .map(async |case| {
            let began = Instant::now();
            let failure = match tokio::time::timeout(PATIENCE, (case.run)(sandbox)).await {
                Ok(result) => result.err(),
                Err(_) => Some(format!("not done within {} s", PATIENCE.as_secs())),
            };
            CaseResult {
                name: case.name,
                failure,
                millis: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
            }
        })
        .buffered(AT_ONCE)
        .collect()
        .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_cases_have_the_same_name() {
        let names: std::collections::BTreeSet<_> = cases().map(|case| case.name).collect();
        assert_eq!(names.len(), cases().count());
    }
}
