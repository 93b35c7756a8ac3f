//! `holdpoint findings`

use anyhow::Result;
use clap::Subcommand;
use holdpoint_intake::report::{NoSource, Report, ReportContext, read_report};
use holdpoint_schemas::finding::Finding;
use std::path::{Path, PathBuf};

use super::Global;
use crate::exit_code::ExitCode;
use crate::output::text::{clean, count};
use crate::pipeline::estate::read_bytes;

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Read scanner reports and print their findings in one form
    Import {
        /// Reports; their format is detected
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
}

/// Reads one report by its path on the command line.
pub fn read(file: &Path) -> Result<Report> {
    let name = file.to_string_lossy();
    let bytes = read_bytes(Path::new(""), &name)?;
    Ok(read_report(
        &bytes,
        &ReportContext {
            repo: "",
            file: &name,
            source: &NoSource,
            secret_key: None,
        },
    )?)
}

pub fn run(global: &Global, command: &Command) -> Result<ExitCode> {
    let Command::Import { files } = command;
    // A report that can't be read harms only itself.
    let mut reports = Vec::new();
    let mut refused = Vec::new();
    for file in files {
        match read(file) {
            Ok(report) => reports.push((file.as_path(), report)),
            Err(error) => refused.push(error),
        }
    }
    if reports.is_empty()
        && let Some(error) = refused.pop()
    {
        for earlier in refused {
            eprintln!("{}", crate::failure::render(&earlier, global.format));
        }
        return Err(error);
    }
    for (file, report) in &reports {
        for skipped in &report.skipped {
            eprintln!("{}: {skipped}", file.display());
        }
    }
    let shape = |report: &Report| serde_json::json!({ "scanner": report.scanner, "groups": report.groups, "findings": report.findings });
    // One document whatever the number of files: the report itself, or the list of them.
    let shape = match reports.as_slice() {
        [(_, report)] if files.len() == 1 => shape(report),
        several => several.iter().map(|(_, report)| shape(report)).collect(),
    };
    global.print(&shape, || {
        let texts: Vec<String> = reports.iter().map(|(file, report)| human(file, report)).collect();
        texts.join("\n\n")
    })?;
    for error in &refused {
        eprintln!("{}", crate::failure::render(error, global.format));
    }
    Ok(if refused.is_empty() {
        ExitCode::Success
    } else {
        ExitCode::BadInput
    })
}

/// A report as text: what wrote it, then a line per finding.
fn human(file: &Path, report: &Report) -> String {
    let mut lines = vec![format!(
        "{}: {} by {}",
        file.display(),
        count(report.findings.len(), "finding", "findings"),
        clean(&report.scanner)
    )];
    lines.extend(report.findings.iter().map(|finding| {
        format!(
            "  {:<8}  {:<24}  {}  {}",
            finding.severity.as_str(),
            clean(&finding.rule),
            place(finding),
            clean(&finding.title)
        )
    }));
    lines.join("\n")
}

/// Where a finding is: its file and line, or its component and version; empty where it names neither.
pub fn place(finding: &Finding) -> String {
    let place = match (&finding.location, &finding.component) {
        (Some(location), _) => location
            .line
            .map_or_else(|| location.path.clone(), |line| format!("{}:{line}", location.path)),
        (None, Some(component)) => format!(
            "{} {}",
            component.name,
            component.version.as_deref().unwrap_or_default()
        ),
        (None, None) => String::new(),
    };
    clean(place.trim_end())
}
