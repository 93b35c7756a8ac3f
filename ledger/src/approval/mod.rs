//! Whether an approval is what it claims: signed by the person it names, for exactly this, in time.
//!
//! The signed message is the statement's canonical JSON (RFC 8785); the signature is OpenSSH's
//! SSHSIG in the statement's namespace, as `ssh-keygen -Y sign -n holdpoint-approval` makes it;
//! who may sign is an OpenSSH `allowed_signers` file ([`Approvers`]).

mod approvers;
mod patterns;
mod persons;
mod sign;
mod signed;

pub use approvers::Approvers;
pub use sign::{SignError, sign};
pub use signed::{Signed, verify_signed};

use holdpoint_schemas::Timestamp;
use holdpoint_schemas::approval::{Binding, SignedStatement, Statement};
use holdpoint_schemas::digest::canonical_json;
use holdpoint_schemas::length::Length;
use ssh_key::public::KeyData;
use ssh_key::{PublicKey, SshSig};
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
    /// The human: the same for all identities that share a key, an address or an entry of the people file,
    /// directly or through each other. Count persons, not identities, where two people are asked for.
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
    #[error("it expired at {expired}")]
    Expired {
        /// When.
        expired: Timestamp,
    },
    /// It says that it counts for longer than anyone's word does.
    #[error("it would count until {expires}, and no longer than {longest} from {recorded} on is allowed")]
    TooLong {
        /// When it says that it expires.
        expires: Timestamp,
        /// When it was recorded.
        recorded: Timestamp,
        /// How long one may count.
        longest: Length,
    },
    /// It was on record before the moment at which it says that it was made.
    #[error("it is dated {at}, and was on record at {recorded}")]
    Postdated {
        /// The date it has.
        at: Timestamp,
        /// When it was recorded.
        recorded: Timestamp,
    },
    /// It claims to be of a time that hasn't come.
    #[error("it is dated {at}, and it is {now}")]
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
pub fn message<S: Statement>(statement: &S) -> Result<Vec<u8>, ApprovalError> {
    canonical_json(statement).map_err(|error| ApprovalError::Malformed { why: error.to_string() })
}

/// Checks a signed statement (an approval may be a refusal: look at its verb) against the approvers, at `now`.
///
/// It says who signed; whether the statement still fits the fix is [`bound_to`]'s.
///
/// # Errors
/// When anything at all speaks against it.
pub fn verify<S: Statement>(
    signed: &SignedStatement<S>,
    approvers: &Approvers,
    now: Timestamp,
) -> Result<Approver, ApprovalError> {
    let statement = &signed.statement;
    let approver = verify_signed(
        &Signed {
            namespace: S::NAMESPACE,
            message: &message(statement)?,
            signature: &signed.signature,
            by: statement.by(),
            at: statement.at(),
        },
        approvers,
        now,
    )?;
    let is_over = |expires: &Timestamp| *expires <= now || *expires <= statement.at();
    match statement.expires().filter(is_over) {
        Some(expired) => Err(ApprovalError::Expired { expired }),
        None => Ok(approver),
    }
}

/// Checks what a ledger holds, which need not have come there through the command that signs: besides what [`verify`]
/// does, that it wasn't recorded before its date, and counts no longer than `longest` from when it was recorded.
///
/// # Errors
/// When anything at all speaks against it.
pub fn verify_recorded<S: Statement>(
    signed: &SignedStatement<S>,
    approvers: &Approvers,
    now: Timestamp,
    recorded: Timestamp,
    longest: Length,
) -> Result<Approver, ApprovalError> {
    let approver = verify(signed, approvers, now)?;
    let at = signed.statement.at();
    if at > recorded {
        return Err(ApprovalError::Postdated { at, recorded });
    }
    match signed.statement.expires() {
        Some(expires) if expires > longest.after(recorded) => Err(ApprovalError::TooLong {
            expires,
            recorded,
            longest,
        }),
        _ => Ok(approver),
    }
}

/// Whether somebody's key really signed a statement, whoever that is and whatever became of the key since: all that
/// it takes for a no.
///
/// # Errors
/// When the signature can't be read, is for something else, or doesn't fit.
pub fn is_signed<S: Statement>(signed: &SignedStatement<S>) -> Result<(), ApprovalError> {
    let signature = read_signature(&signed.signature)?;
    check_namespace::<S>(&signature)?;
    check_signature(&signed.statement, &signature)
}

fn check_namespace<S: Statement>(signature: &SshSig) -> Result<(), ApprovalError> {
    if signature.namespace() == S::NAMESPACE {
        return Ok(());
    }
    Err(ApprovalError::Namespace {
        found: signature.namespace().escape_default().to_string(),
        expected: S::NAMESPACE.to_owned(),
    })
}

fn check_signature<S: Statement>(statement: &S, signature: &SshSig) -> Result<(), ApprovalError> {
    let key = PublicKey::from(signature.public_key().clone());
    key.verify(S::NAMESPACE, &message(statement)?, signature)
        .map_err(|_| ApprovalError::Forged {
            identity: statement.by().to_owned(),
        })
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

/// Whether what a statement was made about is exactly what is there now.
///
/// # Errors
/// What drifted since, one line each.
pub fn bound_to(then: &Binding, now: &Binding) -> Result<(), Vec<String>> {
    // Destructured, so that a new field of the binding can't be forgotten here.
    let Binding {
        estate,
        diff,
        base,
        tree,
        target_branch,
        repo,
        policies,
        schema,
        facts,
        evidence,
    } = then;
    let none = || "none".to_owned();
    let evidence_of =
        |digest: &Option<holdpoint_schemas::Digest>| digest.as_ref().map_or_else(none, |d| d.short().to_owned());
    let drifted: Vec<String> = [
        ("estate", estate.clone(), now.estate.clone(), *estate == now.estate),
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
