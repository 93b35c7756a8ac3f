//! Scanners in the sandbox, pinned: the same command, version and rules wherever they run. A re-scan runs them on
//! both sides of a fix, [`scan`] on one tree.

mod pin;

use holdpoint_schemas::Digest;
use holdpoint_schemas::event::EventSink;
use holdpoint_schemas::evidence::{Side, StepEnd, StepRun};
use std::collections::BTreeMap;

use crate::error::RunnerError;
use crate::plan::{ReportReader, Scan, ScannerPlan, ScannerRun};
use crate::sandbox::{Limits, REPORT_DIR, RULES_DIR, ReadOnlyMount, Sandbox, WORKSPACE_DIR, WorkspaceId};
use crate::step::{self, Telling};
use crate::text::{clean_line, one_line};
use crate::verdict::describe_end;

/// Largest report read: those of whole monorepos have tens of megabytes.
const MAX_REPORT_BYTES: usize = 64 << 20;
/// Longest output of a version command that is read, in bytes.
const MAX_VERSION_BYTES: usize = 16 << 10;

/// A tree to scan.
#[derive(Debug, Clone, Copy)]
pub struct Tree<'a> {
    /// For people: which repo.
    pub subject: &'a str,
    /// Side, for labels and for the reader of the reports.
    pub side: Side,
    /// The tree, as an uncompressed tar archive.
    pub archive: &'a [u8],
    /// Bounds of each scanner.
    pub limits: &'a Limits,
}

/// What all scanners found in one tree.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scanned {
    /// Findings, or why there are none, by scanner.
    pub scans: BTreeMap<String, Scan>,
    /// Steps as they ran.
    pub steps: Vec<StepRun>,
}

impl Scanned {
    /// Scanners that gave no answer, each with why, for people. Where there is one, "nothing found" means nothing.
    #[must_use]
    pub fn failed(&self) -> Vec<(&str, &str)> {
        self.scans
            .iter()
            .filter_map(|(name, scan)| match scan {
                Scan::Failed { reason } => Some((name.as_str(), reason.as_str())),
                Scan::Found { .. } => None,
            })
            .collect()
    }

    /// Scanners that gave an answer, each with its version and the digest of its rules, for people.
    #[must_use]
    pub fn pins(&self) -> Vec<String> {
        self.scans.iter().filter_map(|(name, scan)| pin(name, scan)).collect()
    }
}

/// Runs every scanner over one tree, in a workspace of its own that holds nothing but the tree.
///
/// # Errors
/// When the workspace can't be made. A scanner that fails is a [`Scan::Failed`] of its own.
pub async fn scan(
    sandbox: &dyn Sandbox,
    tree: &Tree<'_>,
    scanners: &[ScannerPlan],
    reader: &dyn ReportReader,
    events: &dyn EventSink,
) -> Result<Scanned, RunnerError> {
    let workspace = sandbox.workspace(tree.archive).await?;
    let scanned = in_workspace(sandbox, &workspace, tree, scanners, reader, events).await;
    if let Err(error) = sandbox.remove(workspace).await {
        tracing::warn!("a workspace was left behind for the next sweep: {error}");
    }
    Ok(scanned)
}

/// Runs every scanner in a workspace that holds the tree.
pub(crate) async fn in_workspace(
    sandbox: &dyn Sandbox,
    workspace: &WorkspaceId,
    tree: &Tree<'_>,
    scanners: &[ScannerPlan],
    reader: &dyn ReportReader,
    events: &dyn EventSink,
) -> Scanned {
    let mut scanned = Scanned::default();
    for (index, scanner) in scanners.iter().enumerate() {
        let run = Run {
            sandbox,
            workspace,
            tree,
            events,
            index,
        };
        let scan = match &scanner.run {
            ScannerRun::Builtin => reader
                .scan_tree(&scanner.name, tree.side, tree.archive)
                .map(|findings| Scan::Found {
                    findings,
                    version: format!("holdpoint {}", env!("CARGO_PKG_VERSION")),
                    rules: None,
                }),
            ScannerRun::Command { .. } => match run.command(scanner, &mut scanned.steps).await {
                Ok(report) => reader
                    .read(&scanner.name, tree.side, &report.bytes)
                    .map(|findings| Scan::Found {
                        findings,
                        version: report.version,
                        rules: Some(report.rules),
                    }),
                Err(reason) => Err(reason),
            },
        };
        let scan = scan.unwrap_or_else(|reason| Scan::Failed {
            reason: clean_line(reason.as_bytes()),
        });
        scanned.scans.insert(scanner.name.clone(), scan);
    }
    scanned
}

/// `name version (rules digest)` of a scan that gave an answer.
pub(crate) fn pin(name: &str, scan: &Scan) -> Option<String> {
    let Scan::Found { version, rules, .. } = scan else {
        return None;
    };
    let version = if version.is_empty() {
        "of unknown version"
    } else {
        version.as_str()
    };
    let rules = rules
        .as_ref()
        .map_or(String::new(), |digest| format!(" (rules {})", digest.short()));
    Some(format!("`{}` {}{rules}", one_line(name), one_line(version)))
}

struct Report {
    bytes: Vec<u8>,
    version: String,
    rules: Digest,
}

/// One scanner's run.
struct Run<'a> {
    sandbox: &'a dyn Sandbox,
    workspace: &'a WorkspaceId,
    tree: &'a Tree<'a>,
    events: &'a dyn EventSink,
    index: usize,
}

impl Run<'_> {
    async fn command(&self, scanner: &ScannerPlan, steps: &mut Vec<StepRun>) -> Result<Report, String> {
        let ScannerRun::Command {
            command,
            ok_exit,
            rules,
            version,
        } = &scanner.run
        else {
            return Err("it has no command".to_owned());
        };
        let digest = pin::rules(command, rules.as_deref())?;
        let report = format!("{}.report", self.index);
        // In the same container: one for the version alone would cost as much as a small scan.
        let asked = match version.clone().or_else(|| pin::version_command(command)) {
            Some(ask) => format!("( {ask}\n) >\"$HOLDPOINT_REPORT.version\" 2>/dev/null </dev/null\n{command}"),
            None => command.clone(),
        };
        let mut spec = step::spec(
            &format!("rescan:{}", scanner.name),
            &asked,
            self.tree.side,
            self.tree.limits,
        );
        spec.env
            .insert("HOLDPOINT_REPORT".to_owned(), format!("{REPORT_DIR}/{report}"));
        for (name, value) in pin::QUIET {
            spec.env.insert((*name).to_owned(), (*value).to_owned());
        }
        if let Some(folder) = rules {
            spec.env.insert("HOLDPOINT_RULES".to_owned(), RULES_DIR.to_owned());
            spec.mounts.push(ReadOnlyMount {
                host: folder.clone(),
                inside: RULES_DIR.to_owned(),
            });
        }
        let telling = Telling {
            subject: self.tree.subject,
            name: &spec.name,
            sandbox: &self.sandbox.describe(),
            events: self.events,
        };
        let (outcome, run) = step::run(self.sandbox, self.workspace, &spec, &telling, |_, _| {}).await;
        steps.push(run);
        match &outcome.end {
            StepEnd::Exited { code } if ok_exit.contains(code) => {}
            end => return Err(describe_end(end)),
        }
        let bytes = self
            .read(&report, MAX_REPORT_BYTES)
            .await?
            .ok_or("it wrote no report to `$HOLDPOINT_REPORT`")?;
        let version = self
            .read(&format!("{report}.version"), MAX_VERSION_BYTES)
            .await
            .ok()
            .flatten();
        Ok(Report {
            bytes,
            version: pin::version(&version.unwrap_or_default()),
            rules: digest,
        })
    }

    async fn read(&self, file: &str, max_bytes: usize) -> Result<Option<Vec<u8>>, String> {
        let folder = REPORT_DIR.trim_start_matches(WORKSPACE_DIR).trim_start_matches('/');
        let path = format!("{folder}/{file}");
        let read = self.sandbox.read_file(self.workspace, &path, max_bytes).await;
        read.map_err(|error| error.to_string())
    }
}
