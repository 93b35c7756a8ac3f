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
    /// What not every report says.
    #[serde(default, skip_serializing_if = "FindingDetails::is_empty")]
    pub details: FindingDetails,
}

/// What not every report says of a finding. `None` and empty lists are unknown, never "no".
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct FindingDetails {
    /// CVSS vectors of any version as they were reported, for example `CVSS:3.1/AV:N/…`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cvss_vectors: Vec<String>,
    /// Highest CVSS base score that the report itself states, in tenths of a point.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cvss_tenths: Option<u16>,
    /// Whether the component ships with the service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<crate::fix::DependencyScope>,
    /// Whether the service itself declares the component.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub direct: Option<bool>,
    /// Functions that are vulnerable, as the advisory spells them, for example `time::at` or
    /// `golang.org/x/text/language.Parse`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub symbols: Vec<String>,
    /// Whether the scanner itself says that the vulnerable part is reached (for example govulncheck's traces).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reached: Option<bool>,
    /// What the report, or a VEX statement in it, says of its status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vex: Option<VexStatement>,
    /// Keyed hash of a secret's value, by which equal secrets are told from different ones. The value itself is never
    /// kept, nor a hash without a key, from which a short one could be guessed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<Digest>,
    /// All reports of the same thing by other scanners, or by other rules of one, its own among them. Empty where
    /// there is only its own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<FindingSource>,
}

impl FindingDetails {
    /// Whether it says nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A report of the same thing by another scanner or rule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct FindingSource {
    /// Scanner.
    pub scanner: String,
    /// Its rule or advisory id.
    pub rule: String,
    /// Severity in its eyes.
    pub severity: Severity,
    /// Identity of its own finding.
    pub fingerprint: Fingerprint,
}

/// Status of a vulnerability in a product (OpenVEX 0.2.0, CycloneDX `analysis`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VexStatus {
    /// It is affected.
    Affected,
    /// Somebody is looking into it.
    UnderInvestigation,
    /// It contains the fix.
    Fixed,
    /// It isn't affected; a justification says why.
    NotAffected,
}

impl VexStatus {
    /// The name that people and files use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Affected => "affected",
            Self::UnderInvestigation => "under_investigation",
            Self::Fixed => "fixed",
            Self::NotAffected => "not_affected",
        }
    }
}

/// One statement about one vulnerability in one product.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct VexStatement {
    /// Status.
    pub status: VexStatus,
    /// Why, in the format's own word, for example `vulnerable_code_not_in_execute_path`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub justification: Option<String>,
    /// Who says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// When it was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<crate::Timestamp>,
    /// Until when it holds, where it says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<crate::Timestamp>,
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
        finding_id(&self.repo, &self.branch, &self.finding.fingerprint)
    }
}

/// The [`RepoFinding::id`] of a finding of which no more than this is at hand.
#[must_use]
pub fn finding_id(repo: &str, branch: &str, fingerprint: &Fingerprint) -> String {
    let digest = Digest::of_parts([repo.as_bytes(), branch.as_bytes(), fingerprint.as_str().as_bytes()]);
    format!("hp-{}", digest.as_str().get(..10).unwrap_or_default())
}
