//! Whether something was signed by the person it names, for the purpose it says.

use holdpoint_schemas::Timestamp;
use ssh_key::PublicKey;

use super::{ApprovalError, Approver, Approvers, read_signature, touched};

/// Something that was signed, as it is checked.
#[derive(Debug, Clone, Copy)]
pub struct Signed<'a> {
    /// SSH signature namespace that it must have been signed in.
    pub namespace: &'a str,
    /// The bytes that were signed.
    pub message: &'a [u8],
    /// SSH signature, PEM.
    pub signature: &'a str,
    /// Who it says signed: an identity of the approvers file.
    pub by: &'a str,
    /// When, as it says.
    pub at: Timestamp,
}

/// Checks who signed something, against the approvers, at `now`. The key must be good at both moments, as for an
/// approval.
///
/// # Errors
/// When anything at all speaks against it.
pub fn verify_signed(signed: &Signed<'_>, approvers: &Approvers, now: Timestamp) -> Result<Approver, ApprovalError> {
    let identity = signed.by.to_owned();
    let signature = read_signature(signed.signature)?;
    if signature.namespace() != signed.namespace {
        return Err(ApprovalError::Namespace {
            found: signature.namespace().escape_default().to_string(),
            expected: signed.namespace.to_owned(),
        });
    }
    if !approvers.knows(&identity) {
        return Err(ApprovalError::UnknownIdentity { identity });
    }
    let lines = approvers.lines_of(&identity, signature.public_key());
    if lines.is_empty() {
        return Err(ApprovalError::OthersKey {
            owners: approvers.owners(signature.public_key()),
            identity,
        });
    }
    let key = PublicKey::from(signature.public_key().clone());
    if key.verify(signed.namespace, signed.message, &signature).is_err() {
        return Err(ApprovalError::Forged { identity });
    }
    if !touched(&signature) {
        return Err(ApprovalError::KeyNotAllowed {
            identity,
            why: "the security key was not touched".to_owned(),
        });
    }
    // The date is the signer's claim: the key must be good then *and* now, so that neither backdating nor a key that
    // was withdrawn since gets through.
    let mut refusal = None;
    let allowed = lines.iter().any(|line| {
        let why = [signed.at, now]
            .into_iter()
            .find_map(|moment| line.refuses(signed.namespace, moment));
        refusal = refusal.take().or(why.clone());
        why.is_none()
    });
    if let Some(why) = refusal.filter(|_| !allowed) {
        return Err(ApprovalError::KeyNotAllowed { identity, why });
    }
    if signed.at > now {
        return Err(ApprovalError::Future { at: signed.at, now });
    }
    let person = approvers.person(signature.public_key());
    Ok(Approver { identity, person })
}
