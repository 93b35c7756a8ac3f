//! Candidate fixes: what a bot or a model hands over, and what is computed about it.

use serde::{Deserialize, Serialize};

use crate::actor::Remediator;
use crate::finding::Fingerprint;
use crate::{Digest, Timestamp};

/// Whether a change is of a kind whose effect is understood without reading the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum FixClass {
    /// Dependency upgrade, header, secret to reference, configuration flag.
    Mechanical,
    /// Everything else, and whatever can't be classified.
    Logic,
}

impl FixClass {
    /// The name that people and files use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mechanical => "mechanical",
            Self::Logic => "logic",
        }
    }
}

/// What the diff does, computed from the diff alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FixKind {
    /// Only dependency versions in manifests and lockfiles.
    DependencyUpgrade,
    /// A literal becomes a reference to the environment or a secret store.
    SecretToReference,
    /// A response header is added or changed.
    SecurityHeader,
    /// A value of an existing key in a configuration file changes.
    ConfigFlag,
    /// An attribute of an existing infrastructure resource changes, or a resource goes.
    IacAttribute,
    /// Only layout: the program's tokens stay as they are.
    Formatting,
    /// Only stamps, comments and layout of files that a generator writes: their program stays as it is.
    GeneratedCode,
    /// Program logic, or unknown.
    Logic,
}

impl FixKind {
    /// The name that people and files use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DependencyUpgrade => "dependency-upgrade",
            Self::SecretToReference => "secret-to-reference",
            Self::SecurityHeader => "security-header",
            Self::ConfigFlag => "config-flag",
            Self::IacAttribute => "iac-attribute",
            Self::Formatting => "formatting",
            Self::GeneratedCode => "generated-code",
            Self::Logic => "logic",
        }
    }

    /// Its class.
    #[must_use]
    pub const fn class(self) -> FixClass {
        match self {
            Self::Logic => FixClass::Logic,
            _ => FixClass::Mechanical,
        }
    }
}

/// How far a dependency moves. For 0.x versions a change of the second number is major (Cargo's
/// reading of SemVer 2.0 §4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UpgradeStep {
    /// Only the third number or later.
    Patch,
    /// The second number.
    Minor,
    /// The first number, or a downgrade, or versions that can't be compared.
    Major,
}

impl UpgradeStep {
    /// The name that people and files use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Patch => "patch",
            Self::Minor => "minor",
            Self::Major => "major",
        }
    }
}

/// Whether a dependency ships with the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DependencyScope {
    /// Only builds, tests or tooling.
    Dev,
    /// Shipped.
    Runtime,
}

impl DependencyScope {
    /// The name that people and files use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dev => "dev",
            Self::Runtime => "runtime",
        }
    }
}

/// One dependency that the diff moves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upgrade {
    /// Package name.
    pub package: String,
    /// Ecosystem as package URLs name it: `pypi`, `npm`, `cargo`, `golang`, `maven`, `gem`, `composer`, `nuget`,
    /// and `oci` for a base image.
    pub ecosystem: String,
    /// Version before, if any.
    pub from: Option<String>,
    /// Version after, if any.
    pub to: Option<String>,
    /// How far.
    pub step: UpgradeStep,
    /// Where it is declared.
    pub scope: DependencyScope,
    /// How many steps of the highest changed version number it jumps over, at most: 1.2 to 1.5 jumps over two.
    /// `None` when that can't be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skipped: Option<u32>,
}

/// Points at a finding that a fix says it resolves, as in `fix.yaml`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FindingRef {
    /// Scanner.
    pub scanner: String,
    /// Rule or advisory id.
    pub rule: String,
    /// Path of the finding, where that is what identifies it.
    #[serde(default)]
    pub path: Option<String>,
    /// Package URL, for a dependency.
    #[serde(default)]
    pub purl: Option<String>,
    /// Alias (CVE, GHSA …).
    #[serde(default)]
    pub alias: Option<String>,
    /// IaC resource address.
    #[serde(default)]
    pub address: Option<String>,
}

/// `fix.yaml`: a candidate fix as it is handed over. Class, files and fingerprints are computed,
/// whatever it claims.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FixRequest {
    /// Repo name in the estate.
    pub repo: String,
    /// Branch to merge into.
    pub base: String,
    /// Patch file beside `fix.yaml`; either this or `branch`.
    #[serde(default)]
    pub patch: Option<String>,
    /// Branch of the repo's remote that holds the fix.
    #[serde(default)]
    pub branch: Option<String>,
    /// Findings it says it resolves.
    pub resolves: Vec<FindingRef>,
    /// One line for people.
    #[serde(default)]
    pub title: Option<String>,
    /// Terraform plan of the candidate as JSON, beside `fix.yaml`. What it destroys is believed; that it
    /// destroys nothing only if it covers every resource that the diff touches.
    #[serde(default)]
    pub plan: Option<String>,
}

/// How one file changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ChangeKind {
    /// New file.
    Added,
    /// Changed file.
    Modified,
    /// Deleted file.
    Deleted,
}

/// One file of a diff.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileChange {
    /// Path relative to the repo's root.
    pub path: String,
    /// How.
    pub kind: ChangeKind,
    /// Lines removed, with their 1-based numbers in the base.
    pub removed: Vec<(u32, String)>,
    /// Lines added, with their 1-based numbers in the candidate.
    pub added: Vec<(u32, String)>,
}

/// What is computed from a diff.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Classification {
    /// What it does.
    pub kind: FixKind,
    /// Why, one line for people.
    pub because: String,
    /// Dependencies it moves.
    pub upgrades: Vec<Upgrade>,
    /// Environment variables that the code reads after the change and didn't before.
    pub new_variables: Vec<String>,
    /// Governance files it touches: policies, controls, rollout, CODEOWNERS, CI, `.holdpoint.yaml`.
    pub governance_files: Vec<String>,
    /// IaC resource addresses it changes.
    pub iac_addresses: Vec<String>,
    /// IaC resource addresses it removes.
    pub iac_removed: Vec<String>,
    /// Those addresses that are databases, IAM or network boundary.
    pub critical_resources: Vec<String>,
    /// Functions and variables whose flow of data the change touches, as `path: name`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub data_flow: Vec<String>,
    /// What has to happen so that the change takes effect.
    #[serde(default)]
    pub operations: Operations,
}

/// What has to happen so that a change takes effect, told from the diff alone.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Operations {
    /// Whether running services must be restarted.
    pub restart: OperationNeed,
    /// Whether machines must be rebooted.
    pub reboot: OperationNeed,
    /// Whether stored data must be migrated.
    pub migration: OperationNeed,
}

/// Whether something has to happen, and why.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperationNeed {
    /// `None`: the diff doesn't tell.
    pub needed: Option<bool>,
    /// One line for people.
    pub because: String,
}

/// A candidate change set against a base commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fix {
    /// Digest of repo, target branch and patch text: the identity of the candidate.
    pub id: Digest,
    /// Repo name in the estate.
    pub repo: String,
    /// Branch it is to merge into.
    pub target_branch: String,
    /// Commit it was applied to.
    pub base_commit: String,
    /// Tree of that commit.
    pub base_tree: String,
    /// Tree after the change.
    pub candidate_tree: String,
    /// Digest of the unified diff between the two trees, as we write it.
    pub diff: Digest,
    /// The diff, as text for people.
    pub diff_text: String,
    /// Who made it.
    pub remediator: Remediator,
    /// One line for people.
    pub title: String,
    /// Findings it resolves, by fingerprint.
    pub resolves: Vec<Fingerprint>,
    /// Files it changes.
    pub files: Vec<FileChange>,
    /// What it does.
    pub classification: Classification,
    /// When it was handed over, where known.
    pub received_at: Option<Timestamp>,
    /// Whether it touches only what its findings are about; `None`: that can't be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimal: Option<bool>,
    /// What applying it does to infrastructure, by the plan that came with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<FixPlan>,
}

/// What applying a candidate does to infrastructure, by a Terraform plan. Whoever hands over a fix hands over its
/// plan: what it destroys is believed, that it destroys nothing only for the addresses that it names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FixPlan {
    /// File, for people.
    pub file: String,
    /// Addresses that are destroyed or replaced.
    pub destroys: Vec<String>,
    /// Addresses that it changes in place, creates or reads.
    pub touches: Vec<String>,
    /// Those of all these addresses that are databases, IAM or network boundary.
    pub critical: Vec<String>,
    /// What the plan leaves open, or why it can't be read; while there is something, nothing good is believed of it.
    pub gaps: Vec<String>,
}
