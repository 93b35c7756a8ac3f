//! Gathering findings: recorded reports, and lockfiles matched against recorded advisories.

use anyhow::Result;
use holdpoint_intake::report::{ReportContext, merge_duplicates, read_report};
use holdpoint_schemas::SourceError;
use holdpoint_schemas::finding::{Finding, RepoFinding};
use std::collections::{BTreeMap, BTreeSet};

use super::estate::{Estate, borrowed, read_bytes};
use super::history::History;
use super::mirror::{Mirror, TreeLines, report_digest};
use super::record::{FINDING, PRESENCE, REPORT, Recorder, ReportRecord};
use super::scan;

/// Name of the built-in lockfile scanner.
pub const OSV_LOCKFILE: &str = "osv-lockfile";

/// Findings of every repo, each once, and what couldn't be read.
#[derive(Debug, Default)]
pub struct Gathered {
    /// Findings, by short id.
    pub findings: BTreeMap<String, RepoFinding>,
    /// Reports that couldn't be read: each harms only itself.
    pub problems: Vec<SourceError>,
    /// What readers left out, for people.
    pub skipped: Vec<String>,
    /// Branches of which every source could be read: (repo, branch). What isn't found there is gone.
    pub complete: BTreeSet<(String, String)>,
}

/// Reads every repo's reports and lockfiles.
///
/// # Errors
/// When the ledger can't be written.
pub fn gather(
    estate: &Estate,
    mirrors: &BTreeMap<String, Mirror>,
    history: &History,
    recorder: &mut Recorder<'_>,
) -> Result<Gathered> {
    let mut gathered = Gathered::default();
    for repo in &estate.config.repos {
        let Some(mirror) = mirrors.get(&repo.name) else {
            continue;
        };
        let mut branches: BTreeSet<&str> = BTreeSet::from(["main"]);
        let mut by_branch: BTreeMap<&str, Vec<Finding>> = BTreeMap::new();
        let mut unread: BTreeSet<&str> = BTreeSet::new();
        for report in &repo.reports {
            branches.insert(&report.branch);
            match read_one(estate, mirror, history, recorder, &report.path, &report.branch)? {
                Ok((findings, skipped)) => {
                    by_branch.entry(&report.branch).or_default().extend(findings);
                    gathered.skipped.extend(skipped);
                }
                Err(problem) => {
                    unread.insert(&report.branch);
                    gathered.problems.push(problem);
                }
            }
        }
        for branch in branches.clone() {
            match scan::reports(estate, mirror, branch) {
                Ok(paths) => {
                    for path in paths {
                        match read_one(estate, mirror, history, recorder, &path, branch)? {
                            Ok((findings, skipped)) => {
                                by_branch.entry(branch).or_default().extend(findings);
                                gathered.skipped.extend(skipped);
                            }
                            Err(problem) => {
                                unread.insert(branch);
                                gathered.problems.push(problem);
                            }
                        }
                    }
                }
                // Old findings may be fixed already: they are left out, and said.
                Err(stale) => {
                    unread.insert(branch);
                    gathered.skipped.push(stale);
                }
            }
        }
        let osv = repo.scanners.iter().any(|name| is_osv(estate, name));
        if osv && estate.advisories.known().is_err() {
            unread.extend(&branches);
        }
        if osv && let Ok(advisories) = estate.advisories.known() {
            for branch in branches.clone() {
                let Some(commit) = mirror.head(branch) else { continue };
                let lockfiles = mirror.lockfiles(&mirror.tree(&commit)?);
                match advisories.match_lockfiles(&repo.name, &borrowed(&lockfiles)) {
                    Ok((findings, skipped)) => {
                        by_branch.entry(branch).or_default().extend(findings);
                        gathered.skipped.extend(skipped);
                    }
                    Err(error) => {
                        unread.insert(branch);
                        gathered.problems.push(as_problem(
                            &format!("lockfiles of {}@{branch}", repo.name),
                            &error.into(),
                        ));
                    }
                }
            }
        }
        for (branch, findings) in by_branch {
            gathered.add(&repo.name, branch, merge_duplicates(findings));
        }
        let read = branches
            .difference(&unread)
            .filter(|branch| mirror.head(branch).is_some());
        let read = read.map(|branch| (repo.name.clone(), (*branch).to_owned()));
        gathered.complete.extend(read);
    }
    recorder.append_new(FINDING, gathered.findings.values())?;
    record_presence(&gathered, history, recorder)?;
    Ok(gathered)
}

/// Tells the ledger which findings are gone, and which came back.
fn record_presence(gathered: &Gathered, history: &History, recorder: &mut Recorder<'_>) -> Result<()> {
    let present = gathered.findings.keys().map(String::as_str).collect();
    let readable = |id: &str| {
        history.findings.get(id).is_some_and(|finding| {
            gathered
                .complete
                .contains(&(finding.repo.clone(), finding.branch.clone()))
        })
    };
    let presence = history.times.presence_of(&present, readable);
    if presence.is_empty() {
        return Ok(());
    }
    recorder.append(PRESENCE, &presence)
}

/// Whether a scanner's name stands for the built-in lockfile scanner.
pub fn is_osv(estate: &Estate, name: &str) -> bool {
    estate
        .config
        .scanners
        .get(name)
        .is_some_and(|scanner| scanner.builtin.as_deref() == Some(OSV_LOCKFILE))
}

impl Gathered {
    fn add(&mut self, repo: &str, branch: &str, findings: Vec<Finding>) {
        for finding in findings {
            let finding = RepoFinding {
                repo: repo.to_owned(),
                branch: branch.to_owned(),
                finding,
            };
            self.findings.insert(finding.id(), finding);
        }
    }
}

type Read = Result<(Vec<Finding>, Vec<String>), SourceError>;

/// A report's line numbers are about the commit at which it was first seen, not about what has
/// been merged since: so its findings keep their fingerprints.
fn read_one(
    estate: &Estate,
    mirror: &Mirror,
    history: &History,
    recorder: &mut Recorder<'_>,
    path: &str,
    branch: &str,
) -> Result<Read> {
    let bytes = match read_bytes(&estate.root, path) {
        Ok(bytes) => bytes,
        Err(error) => return Ok(Err(as_problem(path, &error))),
    };
    let report = report_digest(&bytes);
    let known = history
        .reports
        .get(&(mirror.name.clone(), branch.to_owned(), report.clone()))
        .cloned();
    let Some(commit) = known.or_else(|| mirror.head(branch)) else {
        return Ok(Err(SourceError::new(
            path,
            format!(
                "is about the branch `{branch}`, which the repo `{}` doesn't have",
                mirror.name
            ),
        )));
    };
    let lines = TreeLines::new(mirror, mirror.tree(&commit)?);
    match read_report(
        &bytes,
        &ReportContext {
            repo: &mirror.name,
            file: path,
            source: &lines,
            secret_key: estate.secret_key.as_deref(),
        },
    ) {
        Ok(read) => {
            recorder.append_new(
                REPORT,
                [&ReportRecord {
                    repo: mirror.name.clone(),
                    branch: branch.to_owned(),
                    report,
                    commit,
                }],
            )?;
            Ok(Ok((read.findings, read.skipped)))
        }
        Err(error) => Ok(Err(as_problem(path, &error.into()))),
    }
}

/// An error as a problem of one input, which harms only that.
pub fn as_problem(path: &str, error: &anyhow::Error) -> SourceError {
    crate::failure::source_error(error)
        .cloned()
        .unwrap_or_else(|| SourceError::new(path, format!("{error:#}")))
}
