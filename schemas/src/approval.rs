//! A human's go, and the no.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Digest;

/// What an approval binds: any drift of one of these voids it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Binding {
    /// Diff of the fix.
    pub diff: Digest,
    /// Base commit.
    pub base: String,
    /// Tree that merges.
    pub tree: String,
    /// Branch that it merges into.
    pub target_branch: String,
    /// Repo.
    pub repo: String,
    /// Policies.
    pub policies: Digest,
    /// Cedar schema.
    pub schema: Digest,
    /// Values of the facts that the `promote` policies read; without approval and history.
    pub facts: Digest,
    /// Evidence.
    pub evidence: Option<Digest>,
}

/// Yes or no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verb {
    /// Go.
    Approve,
    /// No.
    Decline,
}

impl Verb {
    /// The name that people and files use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Decline => "decline",
        }
    }
}

/// What a person signs: its canonical JSON, as an SSH signature in the namespace
/// `holdpoint-approval`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovalStatement {
    /// Yes or no.
    pub verb: Verb,
    /// Fix, by id.
    pub fix: Digest,
    /// The decision that the person saw.
    pub decision: Digest,
    /// What it is bound to.
    pub binding: Binding,
    /// Identity in the estate's approvers file.
    pub by: String,
    /// When, as the injected clock says.
    pub at: Timestamp,
    /// From then on it counts for nothing.
    pub expires: Timestamp,
    /// Why, in the person's words.
    #[serde(default)]
    pub comment: Option<String>,
}

/// A statement with its signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedApproval {
    /// What was signed.
    pub statement: ApprovalStatement,
    /// SSH signature, PEM (`-----BEGIN SSH SIGNATURE-----`).
    pub signature: String,
}

/// SSH signature namespace of approvals (see OpenSSH PROTOCOL.sshsig).
pub const APPROVAL_NAMESPACE: &str = "holdpoint-approval";
