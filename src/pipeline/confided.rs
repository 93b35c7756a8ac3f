//! What people write goes into the ledger, for good: texts that look like a secret are refused before they are signed.

use anyhow::Result;
use regex::RegexSet;
use std::sync::LazyLock;

use crate::failure::BadInput;

/// Forms that nothing else has: what issues them documents them, so that scanners find them.
const FORMS: [(&str, &str); 10] = [
    (
        "an address with a password in it",
        r"[a-zA-Z][a-zA-Z0-9+.-]*://[^\s/?#@:]*:[^\s/?#@]+@",
    ),
    ("a private key", r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY"),
    (
        "a GitHub token",
        r"\bgh[pousr]_[A-Za-z0-9]{20,}|\bgithub_pat_[A-Za-z0-9_]{20,}",
    ),
    ("a GitLab token", r"\bgl(?:pat|ptt|dt|rt|soat|ft)-[A-Za-z0-9_-]{16,}"),
    ("an AWS access key", r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"),
    ("a Slack token", r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}"),
    ("a Stripe key", r"\b[rs]k_(?:live|test)_[A-Za-z0-9]{16,}"),
    ("an npm token", r"\bnpm_[A-Za-z0-9]{30,}"),
    ("a PyPI token", r"\bpypi-[A-Za-z0-9_-]{30,}"),
    (
        "a signed token (JWT)",
        r"\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}",
    ),
];

static SECRETS: LazyLock<Option<RegexSet>> = LazyLock::new(|| RegexSet::new(FORMS.map(|(_, form)| form)).ok());

/// Refuses a text that looks like a secret. What it says isn't repeated.
///
/// # Errors
/// When it does.
pub fn check(what: &str, text: &str) -> Result<()> {
    let found = match &*SECRETS {
        Some(set) => set
            .matches(text)
            .iter()
            .next()
            .and_then(|at| FORMS.get(at))
            .map(|(name, _)| *name),
        None => Some("a secret, for all that can be told"),
    };
    match found {
        None => Ok(()),
        Some(name) => Err(BadInput::new(
            format!("the {what} holds what looks like {name}"),
            "leave it out: the ledger keeps what is written for good, and shows it to auditors",
        )
        .into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_a_secret_is_refused_and_not_repeated() {
        let body = "a1B2c3D4e5".repeat(4);
        for text in [
            format!("see https://bot:{body}@git.example/x"),
            format!("token ghp_{body}"),
            format!("glpat-{body}"),
            "AKIAABCDEFGHIJKLMNOP".to_owned(),
            format!("xoxb-{body}"),
            "-----BEGIN OPENSSH PRIVATE KEY-----".to_owned(),
            format!("eyJ{body}.eyJ{body}.{body}"),
        ] {
            let told = check("message", &text).unwrap_err().to_string();
            assert!(!told.contains(&body), "{told}");
        }
        for text in [
            "reverted in https://git.example/a/b/pull/7#issuecomment-1",
            "ask ana@x.example: she knows",
            "ssh://git@git.example:22/a.git",
            "AKIA is a prefix, and ghp_ too",
            "commit 0123456789abcdef0123456789abcdef01234567",
        ] {
            assert!(check("message", text).is_ok(), "{text}");
        }
    }
}
