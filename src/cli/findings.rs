//! `holdpoint findings`

use anyhow::Result;
use clap::Subcommand;
use holdpoint_intake::report::{NoSource, ReportContext, read_report};
use std::path::{Path, PathBuf};

use super::Global;
use crate::exit_code::ExitCode;
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
pub fn read(file: &Path) -> Result<holdpoint_intake::report::Report> {
    let name = file.to_string_lossy();
    let bytes = read_bytes(Path::new(""), &name)?;
    Ok(read_report(
        &bytes,
        &ReportContext {
            repo: "",
            file: &name,
            source: &NoSource,
        },
    )?)
}

pub fn run(global: &Global, command: &Command) -> Result<ExitCode> {
    let Command::Import { files } = command;
    for file in files {
        let report = read(file)?;
        for skipped in &report.skipped {
            eprintln!("{}: {skipped}", file.display());
        }
        let shape =
            serde_json::json!({ "scanner": report.scanner, "groups": report.groups, "findings": report.findings });
        global.print(&shape, || {
            let mut lines = vec![format!(
                "{}: {} findings by {}",
                file.display(),
                report.findings.len(),
                report.scanner
            )];
            lines.extend(report.findings.iter().map(|finding| {
                let place = finding.location.as_ref().map_or_else(
                    || {
                        finding.component.as_ref().map_or_else(String::new, |component| {
                            format!(
                                "{} {}",
                                component.name,
                                component.version.as_deref().unwrap_or_default()
                            )
                        })
                    },
                    |location| {
                        format!(
                            "{}{}",
                            location.path,
                            location.line.map(|line| format!(":{line}")).unwrap_or_default()
                        )
                    },
                );
                format!(
                    "  {:<8}  {:<24}  {place}  {}",
                    finding.severity.as_str(),
                    finding.rule,
                    finding.title
                )
            }));
            lines.join("\n")
        })?;
    }
    Ok(ExitCode::Success)
}
