//! Scans on request: an estate's own scanners over a repo's branch, in the sandbox. The reports are kept
//! in the state folder, and the next run reads them like any other report, so that finding needs no
//! pipeline beside this one.

use anyhow::{Context, Result};
use holdpoint_schemas::event::{Event, EventSink};
use holdpoint_schemas::finding::Finding;
use holdpoint_schemas::{SourceError, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::estate::Estate;
use super::mirror::Mirror;
use super::session::{Session, blocking};
use super::validation::{self, ScanJob, Scanned};
use crate::failure::BadInput;

/// Folder of scans in the state folder.
const FOLDER: &str = "scans";
/// What a scan was of, beside its reports.
const MANIFEST: &str = "scan.json";

/// A branch's last scan.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Manifest {
    /// Repo in the estate.
    pub repo: String,
    /// Branch.
    pub branch: String,
    /// Commit that was scanned.
    pub commit: String,
    /// When.
    pub at: Timestamp,
    /// The sandbox that scanned, and how isolated.
    pub sandbox: String,
    /// Each scanner's report, or why there is none.
    pub scanners: BTreeMap<String, ScannerReport>,
}

/// What became of one scanner.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "scan")]
pub enum ScannerReport {
    /// It scanned.
    Report {
        /// Its report, in the manifest's folder.
        file: String,
        /// Number of findings in it.
        findings: usize,
    },
    /// It didn't.
    Failed {
        /// Why, for people.
        reason: String,
    },
}

/// One branch as it was just scanned.
#[derive(Debug, Clone, Serialize)]
pub struct BranchScan {
    /// What is kept.
    #[serde(flatten)]
    pub manifest: Manifest,
    /// What was found, by scanner.
    pub findings: BTreeMap<String, Vec<Finding>>,
}

/// Scans branches of some repos, or of all; keeps the reports.
///
/// # Errors
/// When the estate or the sandbox can't be used, or there is no such repo or branch. A scanner that fails harms only
/// its own report.
pub async fn scan(
    root: &Path,
    repos: &[String],
    branch: Option<&str>,
    at: Timestamp,
    events: Arc<dyn EventSink>,
) -> Result<(Vec<BranchScan>, Vec<SourceError>)> {
    let (root, repos, branch) = (root.to_owned(), repos.to_owned(), branch.map(str::to_owned));
    let (session, jobs, without) = blocking(move || {
        let session = Session::open(&root, at)?;
        let (jobs, without) = jobs(&session, &repos, branch.as_deref())?;
        Ok((session, jobs, without))
    })
    .await?;
    let problems = session.problems.clone();
    if !jobs.is_empty() {
        for repo in without {
            let text = format!("`{repo}` is not scanned: it names no scanner that runs in the sandbox");
            events.event(Event::Warning { text });
        }
    }
    let runner = validation::Runner::start(&session.estate, "scan", events).await?;
    let mut scans = Vec::new();
    for job in jobs {
        let scanned = runner.scan(&job).await?;
        scans.push(keep(&session.estate, at, &job, scanned)?);
    }
    runner.finish().await;
    Ok((scans, problems))
}

/// What to scan, and the repos that have no scanner for it.
fn jobs(session: &Session, repos: &[String], branch: Option<&str>) -> Result<(Vec<ScanJob>, Vec<String>)> {
    for name in repos {
        session.estate.repo(name)?;
    }
    let (mut jobs, mut without) = (Vec::new(), Vec::new());
    for repo in &session.estate.config.repos {
        if !repos.is_empty() && !repos.contains(&repo.name) {
            continue;
        }
        let Some(mirror) = session.mirrors.get(&repo.name) else {
            continue;
        };
        let before = jobs.len();
        for branch in branches(repo, branch) {
            let head = mirror.head(branch).ok_or_else(|| {
                BadInput::new(
                    format!("the repo `{}` has no branch `{branch}`", repo.name),
                    "name one that it has with `--branch`",
                )
            })?;
            jobs.extend(validation::scan_job(&session.estate, mirror, branch, &head)?);
        }
        if jobs.len() == before {
            without.push(repo.name.clone());
        }
    }
    Ok((jobs, without))
}

/// The branches that reports are about, or the one that was asked for.
fn branches<'a>(repo: &'a holdpoint_schemas::estate::RepoConfig, wanted: Option<&'a str>) -> Vec<&'a str> {
    if let Some(branch) = wanted {
        return vec![branch];
    }
    let mut branches: Vec<&str> = repo.reports.iter().map(|report| report.branch.as_str()).collect();
    branches.push("main");
    branches.sort_unstable();
    branches.dedup();
    branches
}

fn keep(estate: &Estate, at: Timestamp, job: &ScanJob, scanned: Scanned) -> Result<BranchScan> {
    let kept = folder(estate, &job.repo, &job.branch);
    // Beside the last one, which stays until this one is whole; what an older scan left is not taken for it.
    let folder = kept.with_extension("new");
    let clear = |folder: &Path| match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("clearing `{}`", folder.display()))
        }
        _ => Ok(()),
    };
    clear(&folder)?;
    std::fs::create_dir_all(&folder).with_context(|| format!("making `{}`", folder.display()))?;
    let mut scanners = BTreeMap::new();
    let mut findings = BTreeMap::new();
    for (number, (name, outcome)) in scanned.scanners.into_iter().enumerate() {
        let entry = match outcome {
            Ok(found) => {
                let file = format!("{number}.report");
                std::fs::write(folder.join(&file), &found.report).context("keeping a report")?;
                let entry = ScannerReport::Report {
                    file,
                    findings: found.findings.len(),
                };
                findings.insert(name.clone(), found.findings);
                entry
            }
            Err(reason) => ScannerReport::Failed { reason },
        };
        scanners.insert(name, entry);
    }
    let manifest = Manifest {
        repo: job.repo.clone(),
        branch: job.branch.clone(),
        commit: job.commit.clone(),
        at,
        sandbox: scanned.sandbox,
        scanners,
    };
    // Last, so that a scan that broke off has none.
    std::fs::write(folder.join(MANIFEST), serde_json::to_vec_pretty(&manifest)?).context("keeping the scan")?;
    clear(&kept)?;
    std::fs::rename(&folder, &kept).context("keeping the scan")?;
    Ok(BranchScan { manifest, findings })
}

/// A branch's folder: its name may hold slashes, and must not lead elsewhere.
fn folder(estate: &Estate, repo: &str, branch: &str) -> PathBuf {
    let digest = holdpoint_schemas::Digest::of_bytes(branch.as_bytes());
    estate.state().join(FOLDER).join(repo).join(digest.short())
}

/// The kept reports of a branch's head, as paths relative to the estate. A scan of another commit is not used: the
/// error says so.
pub fn reports(estate: &Estate, mirror: &Mirror, branch: &str) -> Result<Vec<String>, String> {
    let folder = folder(estate, &mirror.name, branch);
    let Ok(text) = std::fs::read_to_string(folder.join(MANIFEST)) else {
        return Ok(Vec::new());
    };
    let manifest: Manifest = serde_json::from_str(&text)
        .map_err(|error| format!("the last scan of {}@{branch} can't be read: {error}", mirror.name))?;
    if mirror.head(branch).as_ref() != Some(&manifest.commit) {
        return Err(format!(
            "the last scan of {}@{branch} is of {:.12}, which is no longer its head; run `holdpoint scan`",
            mirror.name, manifest.commit
        ));
    }
    let relative = folder.strip_prefix(&estate.root).unwrap_or(&folder).to_owned();
    let files = manifest.scanners.values().filter_map(|report| match report {
        ScannerReport::Report { file, .. } => Some(file),
        ScannerReport::Failed { .. } => None,
    });
    let files: Vec<&String> = files.collect();
    if files.iter().any(|file| !folder.join(file).is_file()) {
        return Err(format!(
            "the last scan of {}@{branch} isn't whole: a report is gone; run `holdpoint scan`",
            mirror.name
        ));
    }
    let path = |file: &String| relative.join(file).to_string_lossy().into_owned();
    Ok(files.into_iter().map(path).collect())
}
