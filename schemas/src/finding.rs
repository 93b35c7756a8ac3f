//! One thing a scanner reported, normalised.

use serde::{Deserialize, Serialize};
use std::fmt;

use crate::Digest;

/// Stable identity of a finding: it survives line shifts and reformatting. `hp1-` and 32 hex digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// Fingerprint over what identifies a finding: repo, rule, component or path, and the
    /// normalised text it is about. Line numbers must not be among the parts.
    #[must_use]
    pub fn of<'a>(parts: impl IntoIterator<Item = &'a str>) -> Self {
        let digest = Digest::of_parts(parts.into_iter().map(str::as_bytes));
        Self(format!("hp1-{}", digest.as_str().get(..32).unwrap_or_default()))
    }

    /// The text form.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Severity as the scanner says it, on one scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The scanner didn't say, or in words we don't know.
    Unknown,
    /// Informational.
    Info,
    /// Low.
    Low,
    /// Medium or moderate.
    Medium,
    /// High; also what tools call "error".
    High,
    /// Critical.
    Critical,
}

impl Severity {
    /// The name that people and files use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

/// What kind of thing was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FindingClass {
    /// A vulnerable third-party component.
    Dependency,
    /// A flaw in the service's own code.
    Code,
    /// A credential in the source.
    Secret,
    /// A weakness in infrastructure as code.
    Iac,
    /// The live infrastructure differs from its code.
    Drift,
    /// A weak setting in a configuration file.
    Config,
    /// Anything else.
    Other,
}

impl FindingClass {
    /// The name that people and files use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dependency => "dependency",
            Self::Code => "code",
            Self::Secret => "secret",
            Self::Iac => "iac",
            Self::Drift => "drift",
            Self::Config => "config",
            Self::Other => "other",
        }
    }
}

/// A third-party component, by package URL where the report allows it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Component {
    /// Package URL (purl-spec), for example `pkg:pypi/urllib3@1.26.17`.
    pub purl: Option<String>,
    /// Package name in its ecosystem.
    pub name: String,
    /// Version found, where known.
    pub version: Option<String>,
}

/// Where in the repo.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Location {
    /// Path relative to the repo's root, with `/`.
    pub path: String,
    /// Line, 1-based, where known.
    pub line: Option<u32>,
}

/// One thing a scanner reported. See [`Fingerprint`] for its identity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Stable identity.
    pub fingerprint: Fingerprint,
    /// Scanner that reported it.
    pub scanner: String,
    /// The scanner's rule, or the advisory's id.
    pub rule: String,
    /// One line for people.
    pub title: String,
    /// Severity, as the scanner says it.
    pub severity: Severity,
    /// Kind of thing.
    pub class: FindingClass,
    /// CWE ids, as `CWE-89`.
    #[serde(default)]
    pub cwes: Vec<String>,
    /// Other names of the same thing: CVE, GHSA, PYSEC, RUSTSEC.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// The component, for a dependency finding.
    pub component: Option<Component>,
    /// Where, where known.
    pub location: Option<Location>,
    /// IaC resource address, for example `aws_db_instance.ledger`, where the finding is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iac_address: Option<String>,
    /// Versions in which it is fixed, lowest first.
    #[serde(default)]
    pub fixed_versions: Vec<String>,
}

/// A finding in its repo: what the pipeline carries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RepoFinding {
    /// Repo name in the estate.
    pub repo: String,
    /// Branch that was scanned, which a fix merges into.
    pub branch: String,
    /// The finding.
    #[serde(flatten)]
    pub finding: Finding,
}

impl RepoFinding {
    /// Short id for people and commands: `hp-` and ten hex digits over repo, branch and fingerprint.
    #[must_use]
    pub fn id(&self) -> String {
        let digest = Digest::of_parts([
            self.repo.as_bytes(),
            self.branch.as_bytes(),
            self.finding.fingerprint.as_str().as_bytes(),
        ]);
        format!("hp-{}", digest.as_str().get(..10).unwrap_or_default())
    }
}
