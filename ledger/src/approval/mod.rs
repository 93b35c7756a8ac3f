//! Whether an approval is what it claims: signed by the person it names, for exactly this, in time.
//!
//! The signed message is the statement's canonical JSON (RFC 8785); the signature is OpenSSH's
//! SSHSIG in the namespace [`APPROVAL_NAMESPACE`], as `ssh-keygen -Y sign -n holdpoint-approval`
//! makes it; who may sign is an OpenSSH `allowed_signers` file ([`Approvers`]).

mod approvers;
mod patterns;
mod persons;
mod sign;
mod signed;

pub use approvers::Approvers;
pub use sign::{SignError, sign};
pub use signed::{Signed, verify_signed};

use holdpoint_schemas::Timestamp;
use holdpoint_schemas::approval::{APPROVAL_NAMESPACE, ApprovalStatement, Binding, SignedApproval};
use holdpoint_schemas::digest::canonical_json;
use ssh_key::SshSig;
use ssh_key::public::KeyData;
use thiserror::Error;

/// Longest signature that is read: an RSA-16384 signature armours to about 6 KiB.
const MAX_SIGNATURE_BYTES: usize = 16 << 10;

/// "A human touched the key", in the flags of a security key's signature (OpenSSH PROTOCOL.u2f).
const USER_PRESENT: u8 = 0x01;

/// Flags (1 byte) and counter (4 bytes) at the end of a security key's signature.
const SECURITY_KEY_TRAILER_BYTES: usize = 5;

/// Who approved, as the key proves it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approver {
    /// The name in the approvers file.
    pub identity: String,
    /// The human: the same for all identities that share a key, directly or through each other.
    /// Count persons, not identities, where two people are asked for.
    pub person: String,
}

/// Why an approval counts for nothing.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ApprovalError {
    /// The signature can't be read.
    #[error("the approval's signature can't be read: {why}")]
    Malformed {
        /// Why.
        why: String,
    },
    /// It was made for another purpose.
    #[error("the signature is for `{found}`, not for `{expected}`")]
    Namespace {
        /// The namespace that was signed.
        found: String,
        /// The one that it must be.
        expected: String,
    },
    /// The approvers file doesn't know the person.
    #[error("`{identity}` is not in the approvers file")]
    UnknownIdentity {
        /// Who the statement names.
        identity: String,
    },
    /// The key is not one of the person's.
    #[error("the approval names `{identity}`, but was signed with a key of {}", .owners.as_deref().unwrap_or("nobody we know"))]
    OthersKey {
        /// Who the statement names.
        identity: String,
        /// Whose key it is.
        owners: Option<String>,
    },
    /// The person's key may not be used for this, or not now.
    #[error("the key of `{identity}` may not approve: {why}")]
    KeyNotAllowed {
        /// Who.
        identity: String,
        /// Why.
        why: String,
    },
    /// The signature doesn't fit the statement.
    #[error("the signature of `{identity}` does not fit what it is said to approve")]
    Forged {
        /// Who the statement names.
        identity: String,
    },
    /// Too late.
    #[error("the approval expired at {expired}")]
    Expired {
        /// When.
        expired: Timestamp,
    },
    /// It claims to be of a time that hasn't come.
    #[error("the approval is dated {at}, and it is {now}")]
    Future {
        /// The date it has.
        at: Timestamp,
        /// The clock.
        now: Timestamp,
    },
}

/// The bytes that a person signs for a statement.
///
/// # Errors
/// When the statement has no JSON form.
pub fn message(statement: &ApprovalStatement) -> Result<Vec<u8>, ApprovalError> {
    canonical_json(statement).map_err(|error| ApprovalError::Malformed { why: error.to_string() })
}

/// Checks a signed approval (or refusal: look at the verb) against the approvers, at `now`.
///
/// It says who signed; whether the statement still fits the fix is [`bound_to`]'s.
///
/// # Errors
/// When anything at all speaks against it.
pub fn verify(approval: &SignedApproval, approvers: &Approvers, now: Timestamp) -> Result<Approver, ApprovalError> {
    let statement = &approval.statement;
    let approver = verify_signed(
        &Signed {
            namespace: APPROVAL_NAMESPACE,
            message: &message(statement)?,
            signature: &approval.signature,
            by: &statement.by,
            at: statement.at,
        },
        approvers,
        now,
    )?;
    if statement.expires <= now || statement.expires <= statement.at {
        return Err(ApprovalError::Expired {
            expired: statement.expires,
        });
    }
    Ok(approver)
}

fn read_signature(pem: &str) -> Result<SshSig, ApprovalError> {
    if pem.len() > MAX_SIGNATURE_BYTES {
        return Err(ApprovalError::Malformed {
            why: format!("it is longer than {MAX_SIGNATURE_BYTES} bytes"),
        });
    }
    SshSig::from_pem(pem.trim()).map_err(|error| ApprovalError::Malformed {
        why: format!("{error} (expected `-----BEGIN SSH SIGNATURE-----` …)"),
    })
}

/// Whether a human touched the security key; keys of other kinds have nothing to touch.
fn touched(signature: &SshSig) -> bool {
    if !matches!(
        signature.public_key(),
        KeyData::SkEd25519(_) | KeyData::SkEcdsaSha2NistP256(_)
    ) {
        return true;
    }
    let bytes = signature.signature_bytes();
    let flags = bytes
        .len()
        .checked_sub(SECURITY_KEY_TRAILER_BYTES)
        .and_then(|start| bytes.get(start));
    flags.is_some_and(|flags| flags & USER_PRESENT != 0)
}

/// Whether a statement was made about exactly this.
///
/// # Errors
/// What drifted since, one line each.
pub fn bound_to(statement: &ApprovalStatement, now: &Binding) -> Result<(), Vec<String>> {
    // Destructured, so that a new field of the binding can't be forgotten here.
    let Binding {
        diff,
        base,
        tree,
        target_branch,
        repo,
        policies,
        schema,
        facts,
        evidence,
    } = &statement.binding;
    let none = || "none".to_owned();
    let evidence_of =
        |digest: &Option<holdpoint_schemas::Digest>| digest.as_ref().map_or_else(none, |d| d.short().to_owned());
    let drifted: Vec<String> = [
        (
            "diff",
            diff.short().to_owned(),
            now.diff.short().to_owned(),
            *diff == now.diff,
        ),
        ("base commit", base.clone(), now.base.clone(), *base == now.base),
        ("tree", tree.clone(), now.tree.clone(), *tree == now.tree),
        (
            "target branch",
            target_branch.clone(),
            now.target_branch.clone(),
            *target_branch == now.target_branch,
        ),
        ("repo", repo.clone(), now.repo.clone(), *repo == now.repo),
        (
            "policies",
            policies.short().to_owned(),
            now.policies.short().to_owned(),
            *policies == now.policies,
        ),
        (
            "schema",
            schema.short().to_owned(),
            now.schema.short().to_owned(),
            *schema == now.schema,
        ),
        (
            "facts",
            facts.short().to_owned(),
            now.facts.short().to_owned(),
            *facts == now.facts,
        ),
        (
            "evidence",
            evidence_of(evidence),
            evidence_of(&now.evidence),
            *evidence == now.evidence,
        ),
    ]
    .into_iter()
    .filter(|(_, _, _, same)| !same)
    .map(|(what, then, now, _)| format!("{what} was `{then}` when it was approved and is `{now}` now"))
    .collect();
    if drifted.is_empty() { Ok(()) } else { Err(drifted) }
}

#[cfg(test)]
mod tests;
