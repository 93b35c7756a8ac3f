//! Scanner reports. A format is one file here and one line in [`FORMATS`].

mod bandit;
mod brakeman;
mod cargo_audit;
mod checkov;
mod cyclonedx;
mod dependabot;
mod dependency_check;
mod dependency_track;
mod detect_secrets;
mod empty;
mod field;
mod github_code;
mod github_graphql;
mod gitlab;
mod gitlab_sast;
mod gitleaks;
mod gosec;
mod govulncheck;
mod grype;
mod kics;
mod npm_audit;
mod npm_audit_v6;
mod osv_scanner;
mod pip_audit;
mod sarif;
mod semgrep;
mod semgrep_app;
mod snyk;
mod sonarqube;
mod terraform;
mod terrascan;
mod tfsec;
mod trivy;
mod trufflehog;
mod yarn_audit;

use holdpoint_schemas::SourceError;
use holdpoint_schemas::finding::{Finding, Fingerprint};
use std::collections::BTreeSet;

use crate::collect::Collector;
use crate::error::{IntakeError, SourceResult};
use crate::json::{self, Outline};
use crate::xml::{self, Element};

pub use crate::collect::{groups, merge as merge_duplicates};

/// The statements of CycloneDX documents, for [`crate::vex`].
pub(crate) mod bom_statements {
    use holdpoint_schemas::finding::VexStatement;

    use super::{Input, cyclonedx};
    use crate::error::SourceResult;
    use crate::xml::Element;

    /// Ids of a vulnerability, products, and what is said.
    type Statements = Vec<(Vec<String>, Vec<String>, VexStatement)>;

    /// Of a document in JSON whose nesting has been checked.
    pub(crate) fn of_json(file: &str, text: &str) -> SourceResult<Statements> {
        Ok(cyclonedx::bom_of_json(&Input { file, text })?.statements())
    }

    /// Of a document in XML.
    pub(crate) fn of_xml(root: &Element) -> Statements {
        cyclonedx::bom_of_xml(root).statements()
    }
}

/// Largest report in bytes: room for 100,000 findings in SARIF with their data flows, and still a
/// bound on memory, of which reading takes a small multiple.
pub const MAX_REPORT_BYTES: usize = 128 << 20;

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
    /// Key for hashes of secrets. Without one no trace of a secret's value is kept; with one, equal
    /// secrets can be told from different ones, by whoever has the key only.
    pub secret_key: Option<&'a [u8]>,
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

    /// Parses the text as JSON documents of one shape, one after another.
    fn stream<T: serde::Deserialize<'a>>(
        &self,
        expected: &str,
        take: impl FnMut(T) -> SourceResult<()>,
    ) -> SourceResult<usize> {
        json::parse_stream(self.file, self.text, expected, take)
    }

    /// Whether the text begins with this character.
    fn begins_with(&self, character: char) -> bool {
        self.text.trim_start().starts_with(character)
    }

    /// An error at a line, 1-based.
    fn error_at(&self, line: usize, message: String, help: &str) -> Box<SourceError> {
        Box::new(SourceError::new(self.file, message).at(self.text, line, 1).help(help))
    }

    /// An error about what a text of the report names, at the first place of that text.
    fn error_near(&self, named: &str, message: String, help: &str) -> Box<SourceError> {
        let before = self.text.find(named).and_then(|at| self.text.get(..at));
        let line = before.map_or(1, |before| 1 + before.bytes().filter(|byte| *byte == b'\n').count());
        self.error_at(line, message, help)
    }

    /// An error about the report as a whole.
    fn error(&self, message: String, help: &str) -> Box<SourceError> {
        Box::new(SourceError::new(self.file, message).help(help))
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

/// One format of XML reports.
struct XmlFormat {
    /// Name for people.
    id: &'static str,
    /// Whether a document is in this format, from its root.
    detect: fn(&Element) -> bool,
    /// Reads it; returns the scanner's name.
    read: fn(&Element, &mut Collector<'_>) -> SourceResult<String>,
}

/// Formats in XML.
const XML_FORMATS: &[XmlFormat] = &[
    XmlFormat {
        id: "cyclonedx",
        detect: cyclonedx::detect_xml,
        read: cyclonedx::read_xml,
    },
    XmlFormat {
        id: "dependency-check",
        detect: dependency_check::detect_xml,
        read: dependency_check::read_xml,
    },
];

/// Formats of JSON documents one after another (JSON lines, message streams). A report of one document may be in
/// one of them too. `detect` sees the keys of all documents.
const STREAMS: &[Format] = &[
    Format {
        id: "github-code-scanning",
        detect: github_code::detect,
        read: github_code::read,
    },
    Format {
        id: "trufflehog",
        detect: trufflehog::detect,
        read: trufflehog::read,
    },
    Format {
        id: "govulncheck",
        detect: govulncheck::detect,
        read: govulncheck::read,
    },
    Format {
        id: "yarn-audit",
        detect: yarn_audit::detect,
        read: yarn_audit::read,
    },
    Format {
        id: "dependabot",
        detect: dependabot::detect,
        read: dependabot::read,
    },
    Format {
        id: "github-graphql",
        detect: github_graphql::detect,
        read: github_graphql::read,
    },
];

/// All formats of one JSON document; the first that recognises a report reads it.
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
        id: "detect-secrets",
        detect: detect_secrets::detect,
        read: detect_secrets::read,
    },
    Format {
        id: "terrascan",
        detect: terrascan::detect,
        read: terrascan::read,
    },
    Format {
        id: "gosec",
        detect: gosec::detect,
        read: gosec::read,
    },
    Format {
        id: "brakeman",
        detect: brakeman::detect,
        read: brakeman::read,
    },
    Format {
        id: "checkov",
        detect: checkov::detect,
        read: checkov::read,
    },
    Format {
        id: "kics",
        detect: kics::detect,
        read: kics::read,
    },
    Format {
        id: "gitlab-sast",
        detect: gitlab_sast::detect,
        read: gitlab_sast::read,
    },
    Format {
        id: "gitleaks",
        detect: gitleaks::detect,
        read: gitleaks::read,
    },
    Format {
        id: "sonarqube",
        detect: sonarqube::detect,
        read: sonarqube::read,
    },
    Format {
        id: "semgrep-app",
        detect: semgrep_app::detect,
        read: semgrep_app::read,
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
    Format {
        id: "trivy",
        detect: trivy::detect,
        read: trivy::read,
    },
    Format {
        id: "grype",
        detect: grype::detect,
        read: grype::read,
    },
    Format {
        id: "cyclonedx",
        detect: cyclonedx::detect,
        read: cyclonedx::read,
    },
    Format {
        id: "cargo-audit",
        detect: cargo_audit::detect,
        read: cargo_audit::read,
    },
    Format {
        id: "npm-audit-v6",
        detect: npm_audit_v6::detect,
        read: npm_audit_v6::read,
    },
    Format {
        id: "dependency-check",
        detect: dependency_check::detect,
        read: dependency_check::read,
    },
    Format {
        id: "dependency-track",
        detect: dependency_track::detect,
        read: dependency_track::read,
    },
    Format {
        id: "gitlab",
        detect: gitlab::detect,
        read: gitlab::read,
    },
    Format {
        id: "snyk",
        detect: snyk::detect,
        read: snyk::read,
    },
    Format {
        id: "tfsec",
        detect: tfsec::detect,
        read: tfsec::read,
    },
];

/// Reads a report in any known format: one JSON document, several one after another, or XML.
///
/// # Errors
/// When it is too large, not UTF-8, malformed, cut off, empty (unless its name tells a tool that writes nothing when
/// it finds nothing), or in no known format.
pub fn read_report(bytes: &[u8], context: &ReportContext<'_>) -> Result<Report, IntakeError> {
    let text = json::text(context.file, bytes, MAX_REPORT_BYTES)?;
    let input = Input {
        file: context.file,
        text,
    };
    let mut collector = Collector::new(context);
    let scanner = match text.trim_start().chars().next() {
        None => empty::read(&input, &mut collector)?,
        Some('<') => {
            let root = xml::parse(context.file, text, "a scanner's report in XML")?;
            let format = XML_FORMATS.iter().find(|format| (format.detect)(&root));
            let format = format.ok_or_else(|| unknown_format(&input))?;
            (format.read)(&root, &mut collector)?
        }
        Some(_) => read_json(&input, &mut collector)?,
    };
    let (findings, skipped) = collector.finish();
    Ok(Report {
        scanner,
        groups: groups(&findings),
        findings,
        skipped,
    })
}

fn read_json(input: &Input<'_>, collector: &mut Collector<'_>) -> SourceResult<String> {
    json::check_nesting(input.file, input.text)?;
    let mut outline: Option<Outline> = None;
    let documents = input.stream("a scanner's report in JSON", |document: Outline| {
        match &mut outline {
            Some(outline) => outline.join(document),
            None => outline = Some(document),
        }
        Ok(())
    })?;
    let outline = outline.unwrap_or_default();
    let single = FORMATS.iter().filter(|_| documents == 1);
    match single.chain(STREAMS).find(|format| (format.detect)(&outline)) {
        Some(format) => (format.read)(input, collector),
        None if documents == 1 && outline.is_empty_array() => empty::read_list(input, collector),
        None => Err(unknown_format(input)),
    }
}

fn unknown_format(input: &Input<'_>) -> Box<SourceError> {
    let json = FORMATS.iter().chain(STREAMS).map(|format| format.id);
    let ids: BTreeSet<&str> = json.chain(XML_FORMATS.iter().map(|format| format.id)).collect();
    let ids: Vec<&str> = ids.into_iter().collect();
    let help = format!("known formats: {}; or let the scanner write SARIF", ids.join(", "));
    input.error("not a report in a known format".to_owned(), &help)
}

#[cfg(test)]
mod code_tests;
#[cfg(test)]
mod component_tests;
#[cfg(test)]
mod shift_tests;
#[cfg(test)]
mod tests;
