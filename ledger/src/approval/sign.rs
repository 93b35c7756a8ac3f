//! Signing a statement with a person's SSH key.

use holdpoint_schemas::approval::{SignedStatement, Statement};
use ssh_key::{HashAlg, LineEnding, PrivateKey};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use thiserror::Error;

use super::{ApprovalError, message};

/// Longest key file that is read: an RSA-16384 private key is about 13 KiB.
const MAX_KEY_BYTES: u64 = 64 << 10;

/// Why a statement wasn't signed.
#[derive(Debug, Error)]
pub enum SignError {
    /// The statement has no canonical form.
    #[error(transparent)]
    Statement(#[from] ApprovalError),
    /// The key file can't be read.
    #[error("can't read the key `{}`: {why}", .path.display())]
    Key {
        /// File.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// `ssh-keygen` is needed for this key, and failed or isn't there.
    #[error("ssh-keygen could not sign with `{}`: {why}", .path.display())]
    SshKeygen {
        /// Key file.
        path: PathBuf,
        /// Why.
        why: String,
    },
}

/// Signs a statement with the key in `key`: what git calls `user.signingKey`.
///
/// A plain Ed25519 or P-256 private key is used right here. For all others (with a passphrase,
/// RSA, in a security key, or a public key whose other half is in the agent) `ssh-keygen` is
/// run, which may ask on the terminal.
///
/// # Errors
/// When the key can't be read or used.
pub fn sign<S: Statement>(statement: S, key: &Path) -> Result<SignedStatement<S>, SignError> {
    let bytes = message(&statement)?;
    let signature = match plain_key(key)? {
        Some(plain) => plain
            .sign(S::NAMESPACE, HashAlg::Sha512, &bytes)
            .and_then(|signature| signature.to_pem(LineEnding::LF))
            .map_err(|error| SignError::Key {
                path: key.to_owned(),
                why: error.to_string(),
            })?,
        None => ssh_keygen(key, S::NAMESPACE, &bytes)?,
    };
    Ok(SignedStatement { statement, signature })
}

/// The private key, if it can be used without asking anybody.
fn plain_key(path: &Path) -> Result<Option<PrivateKey>, SignError> {
    let unreadable = |why: String| SignError::Key {
        path: path.to_owned(),
        why,
    };
    let size = path.metadata().map_err(|error| unreadable(error.to_string()))?.len();
    if size > MAX_KEY_BYTES {
        return Err(unreadable(format!("it is longer than {MAX_KEY_BYTES} bytes")));
    }
    let text = std::fs::read(path).map_err(|error| unreadable(error.to_string()))?;
    Ok(PrivateKey::from_openssh(text).ok().filter(|key| {
        let data = key.key_data();
        !key.is_encrypted() && (data.is_ed25519() || data.is_ecdsa())
    }))
}

fn ssh_keygen(key: &Path, namespace: &str, bytes: &[u8]) -> Result<String, SignError> {
    let failed = |why: String| SignError::SshKeygen {
        path: key.to_owned(),
        why,
    };
    let mut child = Command::new("ssh-keygen")
        .args(["-Y", "sign", "-n", namespace, "-f"])
        .arg(key)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| failed(format!("{error} (is OpenSSH installed?)")))?;
    if let Some(mut stdin) = child.stdin.take() {
        // When it ends early, its exit status and message say more than the broken pipe.
        let _ = stdin.write_all(bytes);
    }
    let output = child.wait_with_output().map_err(|error| failed(error.to_string()))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let last = said.lines().rev().find(|line| !line.trim().is_empty());
        return Err(failed(
            last.unwrap_or("it gave no reason").trim().escape_debug().to_string(),
        ));
    }
    String::from_utf8(output.stdout).map_err(|_| failed("its signature is not text".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{approvers, line, now, private_key, statement};
    use super::super::verify;
    use super::*;

    #[test]
    fn a_plain_key_signs_what_verifies() {
        let folder = tempfile::tempdir().unwrap();
        let (path, key) = (folder.path().join("key"), private_key(1));
        key.write_openssh_file(&path, LineEnding::LF).unwrap();
        let signed = sign(statement("ana"), &path).unwrap();
        assert!(verify(&signed, &approvers(&line("ana", "", &key)), now()).is_ok());
    }

    #[test]
    fn a_key_that_is_not_there_or_no_key_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        assert!(matches!(sign(statement("ana"), &path), Err(SignError::Key { .. })));
        std::fs::write(&path, "no key").unwrap();
        let error = sign(statement("ana"), &path).unwrap_err().to_string();
        assert!(error.contains("key`"), "{error}");
    }
}
