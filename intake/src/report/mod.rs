//! Scanner reports. A format is one file here and one line in [`FORMATS`].

mod bandit;
mod npm_audit;
mod osv_scanner;
mod pip_audit;
mod sarif;
mod semgrep;
mod terraform;

use holdpoint_schemas::SourceError;
use holdpoint_schemas::finding::{Finding, Fingerprint};

use crate::collect::Collector;
use crate::error::{IntakeError, SourceResult};
use crate::json::{self, Outline};

pub use crate::collect::groups;

/// Largest report in bytes: the largest real ones seen are about a third of it.
pub const MAX_REPORT_BYTES: usize = 64 << 20;

/// The source that a report is about, so that fingerprints hang on the text and not on its line.
pub trait SourceLines {
    /// The text of a line (1-based) of a file of the repo, if there is such a line.
    fn line(&self, path: &str, line: u32) -> Option<String>;
}

/// Knows no source: fingerprints then hang on what the report itself shows.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoSource;

impl SourceLines for NoSource {
    fn line(&self, _path: &str, _line: u32) -> Option<String> {
        None
    }
}

/// What a report is about.
pub struct ReportContext<'a> {
    /// Repo name in the estate.
    pub repo: &'a str,
    /// Name of the report's file, for messages.
    pub file: &'a str,
    /// Source of the scanned commit.
    pub source: &'a dyn SourceLines,
}

/// A report, normalised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Scanner; several are joined by `, `.
    pub scanner: String,
    /// One per finding of the report, in its order; exact duplicates are merged.
    pub findings: Vec<Finding>,
    /// Findings that are about the same thing.
    pub groups: Vec<Vec<Fingerprint>>,
    /// What was not scanned or not read, one line each, for people.
    pub skipped: Vec<String>,
}

/// A report as a format sees it.
struct Input<'a> {
    /// Name of the file, for messages.
    file: &'a str,
    text: &'a str,
}

impl<'a> Input<'a> {
    /// Parses the text as JSON of one shape.
    fn json<T: serde::Deserialize<'a>>(&self, expected: &str) -> SourceResult<T> {
        json::parse_again(self.file, self.text, expected)
    }
}

/// One format of reports.
struct Format {
    /// Name for people.
    id: &'static str,
    /// Whether a JSON document is in this format, from its outline.
    detect: fn(&Outline) -> bool,
    /// Reads it; returns the scanner's name.
    read: fn(&Input<'_>, &mut Collector<'_>) -> SourceResult<String>,
}

/// All formats; the first that recognises a report reads it.
const FORMATS: &[Format] = &[
    Format {
        id: "sarif",
        detect: sarif::detect,
        read: sarif::read,
    },
    Format {
        id: "terraform-plan",
        detect: terraform::detect,
        read: terraform::read,
    },
    Format {
        id: "bandit",
        detect: bandit::detect,
        read: bandit::read,
    },
    Format {
        id: "osv-scanner",
        detect: osv_scanner::detect,
        read: osv_scanner::read,
    },
    Format {
        id: "semgrep",
        detect: semgrep::detect,
        read: semgrep::read,
    },
    Format {
        id: "pip-audit",
        detect: pip_audit::detect,
        read: pip_audit::read,
    },
    Format {
        id: "npm-audit",
        detect: npm_audit::detect,
        read: npm_audit::read,
    },
];

/// Reads a report in any known format.
///
/// # Errors
/// When it is too large, not UTF-8, malformed, cut off, or in no known format.
pub fn read_report(bytes: &[u8], context: &ReportContext<'_>) -> Result<Report, IntakeError> {
    let text = json::text(context.file, bytes, MAX_REPORT_BYTES)?;
    let outline: Outline = json::parse(context.file, text, "a scanner's report in JSON")?;
    let Some(format) = FORMATS.iter().find(|format| (format.detect)(&outline)) else {
        let ids: Vec<&str> = FORMATS.iter().map(|format| format.id).collect();
        return Err(SourceError::new(context.file, "not a report in a known format")
            .help(format!(
                "known formats: {}; or let the scanner write SARIF",
                ids.join(", ")
            ))
            .into());
    };
    let mut collector = Collector::new(context);
    let scanner = (format.read)(
        &Input {
            file: context.file,
            text,
        },
        &mut collector,
    )?;
    let (findings, skipped) = collector.finish();
    Ok(Report {
        scanner,
        groups: groups(&findings),
        findings,
        skipped,
    })
}

#[cfg(test)]
mod tests;
