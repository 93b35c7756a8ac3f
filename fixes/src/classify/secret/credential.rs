//! What looks like a credential, by its name or by itself, and whether a variable is of the same
//! name.

use std::sync::LazyLock;

use regex::Regex;

use crate::classify::polarity::words;

/// Last words of names that hold credentials: an `ADMIN_AUTH_ROLE` or a `token_url` holds none.
const CREDENTIALS: [&str; 18] = [
    "secret",
    "secrets",
    "token",
    "key",
    "apikey",
    "password",
    "passwd",
    "pass",
    "pwd",
    "passphrase",
    "passcode",
    "pin",
    "credential",
    "credentials",
    "salt",
    "pepper",
    "dsn",
    "bearer",
];
/// Last words that say which one it is; the word before is the one that counts.
const WHICH: [&str; 12] = [
    "1",
    "2",
    "v1",
    "v2",
    "prod",
    "production",
    "live",
    "staging",
    "test",
    "base",
    "value",
    "default",
];
/// Words that make a key or a token a plain name: `cache_key`, `public_key`, `allowed_key`.
const PLAIN: [&str; 22] = [
    "public",
    "primary",
    "foreign",
    "sort",
    "partition",
    "cache",
    "index",
    "routing",
    "group",
    "lookup",
    "object",
    "map",
    "idempotency",
    "allowed",
    "role",
    "algorithm",
    "next",
    "page",
    "field",
    "column",
    "verify",
    "disable",
];

/// Prefixes that issuers give their credentials, and a URL with a password; long texts without
/// spaces, of letters and digits, are checked by hand.
static ISSUED: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?x)^(?: (?:sk|pk|rk|st|tk|xox[abprs]|gh[opsur]|glpat|npm|pypi|shp[a-z]+|hvs|dop|SG)[-_.] [\w.=/+-]{8,}
        | (?:AKIA|ASIA)[A-Z0-9]{16} | AIza[\w-]{30,} | eyJ[\w-]+\.[\w-]+\.[\w-]*
        | [a-z][a-z0-9+.-]*://[^/\s:@]*:[^/\s@]+@\S+ )$",
    )
    .ok()
});

/// Shortest text that may be taken for random, in characters.
const MIN_RANDOM: usize = 16;

/// Whether a literal looks like a credential by itself.
pub(super) fn looks_so(literal: &str) -> bool {
    let random = literal.len() >= MIN_RANDOM
        && literal
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '+' | '/' | '=' | '.'))
        && literal.chars().filter(char::is_ascii_digit).count() >= 3
        && literal.chars().filter(char::is_ascii_alphabetic).count() >= 3
        // Dates, versions, regions and paths are made of short parts.
        && literal.split(['-', '_', '/', '.']).any(|part| part.len() >= 12 && part.contains(|c: char| c.is_ascii_digit()));
    random || ISSUED.as_ref().is_some_and(|pattern| pattern.is_match(literal))
}

/// Whether a name is that of a credential; a mere `key` could be any.
pub(super) fn is_named_so(name: &str) -> bool {
    let mut words = words(name);
    while words.last().is_some_and(|word| WHICH.contains(&word.as_str())) {
        words.pop();
    }
    let last = words.last().map(String::as_str).unwrap_or_default();
    CREDENTIALS.contains(&last)
        && !(last == "key" && words.len() == 1)
        && !words.iter().any(|word| PLAIN.contains(&word.as_str()))
}

/// Whether a variable is called as what it is assigned to: all words of the one are among those of
/// the other.
pub(super) fn correspond(target: &str, variable: &str) -> bool {
    let (target, variable) = (words(target), words(variable));
    let within = |a: &[String], b: &[String]| !a.is_empty() && a.iter().all(|word| b.contains(word));
    within(&target, &variable) || within(&variable, &target) || target.concat() == variable.concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_told_from_other_texts() {
        for literal in [
            "st-5d41f0c97e8a4b26",
            "sk-90c3be7712fd4a58",
            "AKIAIOSFODNN7EXAMPLE",
            "postgres://app:hunter2@db/app",
            "5d41402abc4b2a76b9719d911017c592",
        ] {
            assert!(looks_so(literal), "{literal}");
        }
        for literal in [
            "users",
            "0.05",
            "select 1 where tenant=?",
            "none",
            "eu-central-1",
            "https://example.org/a",
            "2026-01-01T00-00-00",
        ] {
            assert!(!looks_so(literal), "{literal}");
        }
    }

    #[test]
    fn names_end_in_what_they_hold() {
        for name in [
            "SMTP_TOKEN",
            "apiKey",
            "self.password",
            "SECRET_KEY_BASE",
            "DB_PASS",
            "API_KEY_V2",
        ] {
            assert!(is_named_so(name), "{name}");
        }
        for name in [
            "fee",
            "query",
            "table",
            "key",
            "ADMIN_AUTH_ROLE",
            "allowed_key_ids",
            "token_url",
            "cache_key",
            "public_key",
            "KEY_PATH",
        ] {
            assert!(!is_named_so(name), "{name}");
        }
    }

    #[test]
    fn a_variable_is_called_as_its_target() {
        assert!(
            correspond("TOKEN", "SMTP_TOKEN") && correspond("apiKey", "API_KEY") && correspond("apikey", "API_KEY")
        );
        assert!(!correspond("SIGNING_KEY", "UNSET_KEY") && !correspond("x", "HTTP_PROXY"));
    }
}
