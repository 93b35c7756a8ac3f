//! A branch's scanners in the sandbox, without any fix.

use anyhow::Result;
use holdpoint_runner::plan::{ReportReader, Scan, ScannerPlan, ScannerRun};
use holdpoint_runner::sandbox::{Limits, Sandbox};
use holdpoint_runner::scan::{Tree, scan};
use holdpoint_schemas::event::EventSink;
use holdpoint_schemas::evidence::Side;
use holdpoint_schemas::finding::Finding;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::job::scanners;
use super::knowledge::Knowledge;
use crate::pipeline::estate::Estate;
use crate::pipeline::mirror::Mirror;
use crate::pipeline::tree_files::TreeFiles;

/// A branch to scan.
pub struct ScanJob {
    /// Repo in the estate.
    pub repo: String,
    /// Branch.
    pub branch: String,
    /// Its head.
    pub commit: String,
    tree: Arc<[u8]>,
    scanners: Vec<ScannerPlan>,
    limits: Limits,
    knowledge: Knowledge,
}

/// What one scanner wrote, and what that says.
pub struct Found {
    /// Its report as it wrote it.
    pub report: Vec<u8>,
    /// What it found.
    pub findings: Vec<Finding>,
}

/// A branch as it was scanned.
pub struct Scanned {
    /// The sandbox, for people.
    pub sandbox: String,
    /// What each scanner found, or why it gave no answer.
    pub scanners: BTreeMap<String, Result<Found, String>>,
}

/// A scan of a branch's head. `None`: no scanner of the repo runs in the sandbox; the built-in one is part of every run.
///
/// # Errors
/// When the tree can't be exported, or a scanner has no command.
pub fn scan_job(estate: &Estate, mirror: &Mirror, branch: &str, commit: &str) -> Result<Option<ScanJob>> {
    let scanners: Vec<ScannerPlan> = scanners(estate, &mirror.name)?
        .into_iter()
        .filter(|scanner| scanner.run != ScannerRun::Builtin)
        .collect();
    if scanners.is_empty() {
        return Ok(None);
    }
    let limits = holdpoint_fixes::tree::ExportLimits::default();
    let tree: Arc<[u8]> = holdpoint_fixes::tree::export_tar(&mirror.git, &mirror.tree(commit)?, limits)?.into();
    Ok(Some(ScanJob {
        repo: mirror.name.clone(),
        branch: branch.to_owned(),
        commit: commit.to_owned(),
        scanners,
        limits: (&estate.config.sandbox).into(),
        knowledge: Knowledge {
            repo: mirror.name.clone(),
            secret_key: estate.secret_key.clone(),
            expected: Vec::new(),
            advisories: None,
            baseline: TreeFiles::new(Arc::clone(&tree)),
            candidate: TreeFiles::new(Arc::clone(&tree)),
        },
        tree,
    }))
}

/// Reads reports, and keeps them as they are.
struct Keeping<'a> {
    knowledge: &'a Knowledge,
    reports: Mutex<BTreeMap<String, Vec<u8>>>,
}

impl ReportReader for Keeping<'_> {
    fn read(&self, scanner: &str, side: Side, report: &[u8]) -> Result<Vec<Finding>, String> {
        let mut reports = self.reports.lock().unwrap_or_else(PoisonError::into_inner);
        reports.insert(scanner.to_owned(), report.to_vec());
        self.knowledge.read(scanner, side, report)
    }
}

/// Runs a branch's scanners.
///
/// # Errors
/// When its workspace can't be made.
pub async fn run(sandbox: &dyn Sandbox, job: &ScanJob, events: &dyn EventSink) -> Result<Scanned> {
    let reader = Keeping {
        knowledge: &job.knowledge,
        reports: Mutex::default(),
    };
    let tree = Tree {
        subject: &format!("{}@{}", job.repo, job.branch),
        side: Side::Baseline,
        archive: &job.tree,
        limits: &job.limits,
    };
    let scanned = scan(sandbox, &tree, &job.scanners, &reader, events).await?;
    let mut reports = reader.reports.into_inner().unwrap_or_else(PoisonError::into_inner);
    let scanners = scanned.scans.into_iter().map(|(name, outcome)| {
        let outcome = match outcome {
            Scan::Found { findings, .. } => Ok(Found {
                report: reports.remove(&name).unwrap_or_default(),
                findings,
            }),
            Scan::Failed { reason } => Err(reason),
        };
        (name, outcome)
    });
    Ok(Scanned {
        sandbox: sandbox.describe(),
        scanners: scanners.collect(),
    })
}
