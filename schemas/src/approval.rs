//! A human's go, and the no.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Digest;

/// What an approval binds: any drift of one of these voids it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Binding {
    /// Estate, by the id in its ledger: what is signed for one is worth nothing in another.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub estate: String,
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

/// What a person signs in an emergency: a go that stands in for the approvals that there is no time to wait for,
/// where the policies let it. Signed in the namespace `holdpoint-override`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OverrideStatement {
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
    /// What the emergency is, in the person's words.
    pub reason: String,
}

/// What another person signs after an emergency: they looked at it. Signed in the namespace `holdpoint-review`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewStatement {
    /// The override's statement, by digest.
    #[serde(rename = "override")]
    pub of: Digest,
    /// Estate, by the id in its ledger.
    pub estate: String,
    /// Identity in the estate's approvers file.
    pub by: String,
    /// When, as the injected clock says.
    pub at: Timestamp,
    /// What they found, in the person's words.
    pub comment: String,
}

/// What can be signed.
pub trait Statement: Serialize {
    /// SSH signature namespace (see OpenSSH PROTOCOL.sshsig): a signature of one kind is worth nothing as another.
    const NAMESPACE: &'static str;

    /// Identity of the signer in the estate's approvers file.
    fn by(&self) -> &str;

    /// When it was made, as the signer says.
    fn at(&self) -> Timestamp;

    /// From when on it counts for nothing; `None`: it is about the past.
    fn expires(&self) -> Option<Timestamp>;
}

impl Statement for ApprovalStatement {
    const NAMESPACE: &'static str = APPROVAL_NAMESPACE;

    fn by(&self) -> &str {
        &self.by
    }

    fn at(&self) -> Timestamp {
        self.at
    }

    fn expires(&self) -> Option<Timestamp> {
        Some(self.expires)
    }
}

impl Statement for OverrideStatement {
    const NAMESPACE: &'static str = OVERRIDE_NAMESPACE;

    fn by(&self) -> &str {
        &self.by
    }

    fn at(&self) -> Timestamp {
        self.at
    }

    fn expires(&self) -> Option<Timestamp> {
        Some(self.expires)
    }
}

impl Statement for ReviewStatement {
    const NAMESPACE: &'static str = REVIEW_NAMESPACE;

    fn by(&self) -> &str {
        &self.by
    }

    fn at(&self) -> Timestamp {
        self.at
    }

    fn expires(&self) -> Option<Timestamp> {
        None
    }
}

/// A statement with its signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedStatement<S> {
    /// What was signed.
    pub statement: S,
    /// SSH signature, PEM (`-----BEGIN SSH SIGNATURE-----`).
    pub signature: String,
}

/// A signed go or no.
pub type SignedApproval = SignedStatement<ApprovalStatement>;
/// A signed emergency override.
pub type SignedOverride = SignedStatement<OverrideStatement>;
/// A signed review of an emergency override.
pub type SignedReview = SignedStatement<ReviewStatement>;

/// SSH signature namespace of approvals.
pub const APPROVAL_NAMESPACE: &str = "holdpoint-approval";
/// SSH signature namespace of emergency overrides.
pub const OVERRIDE_NAMESPACE: &str = "holdpoint-override";
/// SSH signature namespace of reviews of emergency overrides.
pub const REVIEW_NAMESPACE: &str = "holdpoint-review";
