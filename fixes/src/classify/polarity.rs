//! Which way a setting may move without giving protection up, from the words of its name. A fix
//! that makes something weaker is no mechanical fix, whatever else it is.

use std::sync::LazyLock;

use regex::Regex;

/// Turn the meaning of the rest of the name around.
const INVERTERS: [&str; 15] = [
    "disable", "disabled", "disables", "no", "not", "non", "without", "skip", "skipped", "bypass", "ignore", "ignored",
    "exclude", "suppress", "off",
];
/// On is the weaker state.
const PERMISSIVE: [&str; 38] = [
    "debug",
    "insecure",
    "allow",
    "allowed",
    "allows",
    "permissive",
    "permit",
    "unsafe",
    "anonymous",
    "trust",
    "public",
    "publicly",
    "plaintext",
    "verbose",
    "expose",
    "exposed",
    "dangerous",
    "dangerously",
    "accept",
    "open",
    "guest",
    "legacy",
    "unauthenticated",
    "impersonate",
    "impersonation",
    "wildcard",
    "force",
    "admin",
    "root",
    "sudo",
    "superuser",
    "privileged",
    "elevated",
    "writable",
    "write",
    "external",
    "internet",
    "remote",
];
/// Off is the weaker state.
const PROTECTIVE: [&str; 106] = [
    "verify",
    "verification",
    "validate",
    "validation",
    "auth",
    "authentication",
    "authenticate",
    "authorization",
    "authorize",
    "authn",
    "authz",
    "tls",
    "ssl",
    "https",
    "mtls",
    "secure",
    "security",
    "csrf",
    "xss",
    "xsrf",
    "hsts",
    "csp",
    "cors",
    "enforce",
    "enforced",
    "require",
    "required",
    "encrypt",
    "encrypted",
    "encryption",
    "audit",
    "check",
    "checks",
    "strict",
    "signature",
    "signatures",
    "sign",
    "signed",
    "mfa",
    "otp",
    "sanitize",
    "escape",
    "autoescape",
    "httponly",
    "samesite",
    "protect",
    "protection",
    "protected",
    "firewall",
    "waf",
    "block",
    "restrict",
    "private",
    "logging",
    "versioning",
    "backup",
    "rotation",
    "deletion",
    "limiter",
    "throttle",
    "prevent",
    "prevents",
    "detection",
    "detect",
    "fraud",
    "guard",
    "scan",
    "scanner",
    "scanning",
    "antivirus",
    "captcha",
    "lockout",
    "sandbox",
    "isolation",
    "isolated",
    "approval",
    "review",
    "monitor",
    "monitoring",
    "alerts",
    "alerting",
    "blocklist",
    "denylist",
    "moderation",
    "verified",
    "confirm",
    "confirmation",
    "enabled",
    "enable",
    "active",
    "expire",
    "secret",
    "password",
    "login",
    "permission",
    "permissions",
    "access",
    "control",
    "policy",
    "filter",
    "safe",
    "only",
    "readonly",
    "immutable",
    "sealed",
    "quarantine",
];
/// More is the stronger state.
const HIGHER_IS_SAFER: [&str; 13] = [
    "min",
    "minimum",
    "bits",
    "keysize",
    "rounds",
    "iterations",
    "cost",
    "retention",
    "strength",
    "entropy",
    "length",
    "size",
    "replicas",
];
/// Less is the stronger state.
const LOWER_IS_SAFER: [&str; 15] = [
    "max",
    "maximum",
    "limit",
    "limits",
    "ttl",
    "expiry",
    "expires",
    "expiration",
    "lifetime",
    "attempts",
    "rate",
    "quota",
    "tolerance",
    "skew",
    "leeway",
];
/// Begin names of what keeps something permissive out: `block_public_acls`.
const GUARDS: [&str; 6] = ["block", "restrict", "prevent", "deny", "reject", "forbid"];
/// Values that switch protection off.
const WEAK_VALUES: [&str; 50] = [
    "none",
    "off",
    "disable",
    "disabled",
    "false",
    "no",
    "never",
    "allow",
    "any",
    "all",
    "permissive",
    "insecure",
    "unsafe",
    "debug",
    "trace",
    "optional",
    "plaintext",
    "plain",
    "http",
    "public",
    "anonymous",
    "guest",
    "md5",
    "sha1",
    "des",
    "3des",
    "rc4",
    "ecb",
    "ssl",
    "sslv2",
    "sslv3",
    "ssl2",
    "ssl3",
    "tlsv1",
    "tls1",
    "report",
    "warn",
    "audit",
    "dryrun",
    "log",
    "lax",
    "legacy",
    "unrestricted",
    "mutable",
    "suspended",
    "development",
    "dev",
    "test",
    "testing",
    "local",
];
/// Values that protect, as settings of protection spell them.
const STRONG_VALUES: [&str; 24] = [
    "strict",
    "enforce",
    "enforced",
    "enforcing",
    "required",
    "require",
    "deny",
    "block",
    "on",
    "always",
    "enabled",
    "enable",
    "sha256",
    "sha384",
    "sha512",
    "argon2id",
    "bcrypt",
    "full",
    "secure",
    "https",
    "private",
    "immutable",
    "verify",
    "reject",
];

/// Words of a key: `preStartCommand` and `pre-start_command` have three.
pub(super) fn words(key: &str) -> Vec<String> {
    let mut found = vec![String::new()];
    let mut was_lower = false;
    for c in key.chars() {
        if !c.is_alphanumeric() || (c.is_uppercase() && was_lower) {
            found.push(String::new());
        }
        was_lower = c.is_lowercase();
        if let Some(last) = found.last_mut().filter(|_| c.is_alphanumeric()) {
            last.extend(c.to_lowercase());
        }
    }
    found.retain(|word| !word.is_empty());
    found
}

fn has(words: &[String], list: &[&str]) -> bool {
    words.iter().any(|word| list.contains(&word.as_str()))
}

/// A word of protection that isn't merely one of being there.
fn is_safeguard(word: &str) -> bool {
    PROTECTIVE.contains(&word) && !matches!(word, "enabled" | "enable" | "active" | "access")
}

/// Whether the name says which way a number is safer.
pub(super) fn knows_number(path: &[String]) -> bool {
    let words: Vec<String> = path.iter().flat_map(|key| words(key)).collect();
    has(&words, &HIGHER_IS_SAFER) || has(&words, &LOWER_IS_SAFER) || delays_loss(&words)
}

/// `deletion_window_in_days`, `recovery_window_in_days`: the time in which a loss can be undone.
fn delays_loss(words: &[String]) -> bool {
    has(words, &["deletion", "recovery", "delete"]) && has(words, &["window", "days", "period"])
}

/// Whether the name says anything about protection at all.
pub(super) fn knows(path: &[String]) -> bool {
    let words: Vec<String> = path.iter().flat_map(|key| words(key)).collect();
    [
        &INVERTERS[..],
        &PERMISSIVE,
        &PROTECTIVE,
        &HIGHER_IS_SAFER,
        &LOWER_IS_SAFER,
    ]
    .into_iter()
    .any(|list| has(&words, list))
}

/// Whether switching to `on` makes it weaker, or can't be told.
pub(super) fn weakens_switch(path: &[String], on: bool) -> bool {
    let words: Vec<String> = path.iter().flat_map(|key| words(key)).collect();
    let last = path.last().map(|key| self::words(key)).unwrap_or_default();
    let guards = last.first().is_some_and(|first| GUARDS.contains(&first.as_str()));
    // `readonly_root_filesystem`: with words of both kinds only these say which one leads.
    let mixed = has(&last, &PERMISSIVE) && last.iter().any(|word| is_safeguard(word));
    let leads = last
        .first()
        .is_some_and(|first| matches!(first.as_str(), "allow" | "allows" | "insecure" | "unsafe"));
    if mixed && !guards && (!leads || has(&last, &["only"])) {
        return true;
    }
    match (
        has(&words, &INVERTERS),
        has(&words, &PERMISSIVE),
        has(&words, &PROTECTIVE),
    ) {
        (false, true, _) if guards => !on,
        // `allow_skip`, `disable_debug`: which way is which can't be told.
        (true, true, _) => true,
        (true, false, _) | (false, true, _) => on,
        (false, false, true) => !on,
        (false, false, false) => false,
    }
}

/// Whether a number that moves so makes it weaker, or can't be told.
pub(super) fn weakens_number(path: &[String], before: f64, after: f64) -> bool {
    let words: Vec<String> = path.iter().flat_map(|key| words(key)).collect();
    let (higher, lower) = (has(&words, &HIGHER_IS_SAFER), has(&words, &LOWER_IS_SAFER));
    // Zero and less often mean without a limit; file modes aren't ordered.
    let unlimited = after <= 0.0 && (higher || lower || has(&words, &["timeout"]));
    let mode = has(
        &words,
        &["mode", "umask", "chmod", "permissions", "permission", "level"],
    );
    let as_switch = has(&words, &PROTECTIVE) || has(&words, &PERMISSIVE) || has(&words, &INVERTERS);
    let (zero, was_zero) = (after == 0.0, before == 0.0);
    let lasts = has(&words, &["session", "token", "idle", "cookie", "login"])
        && has(
            &words,
            &[
                "timeout", "age", "minutes", "hours", "days", "seconds", "duration", "validity",
            ],
        );
    let (least, most) = (has(&words, &["min", "minimum"]), has(&words, &["max", "maximum"]));
    let lower = (lower && !least) || lasts;
    let higher = (higher && !most) || delays_loss(&words);
    unlimited
        || mode
        || (higher && lower)
        || (as_switch && zero != was_zero && weakens_switch(path, !zero))
        || (higher && after < before)
        || (lower && after > before)
}

/// `TLSv1_2`, `TLS1_2`, `TLSv1.2_2021`: the numbers behind the name.
static TLS: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"(?i)^tls[-_ ]?v?[-_]?(\d)(?:[._](\d))?").ok());

/// Major and minor version of a TLS protocol's name.
pub(super) fn tls(text: &str) -> Option<(u8, u8)> {
    let found = TLS.as_ref()?.captures(text)?;
    let number = |at| found.get(at).map_or(Some(0), |part| part.as_str().parse().ok());
    Some((number(1)?, number(2)?))
}

/// Whether a word that changes so makes it weaker, or can't be told.
pub(super) fn weakens_word(path: &[String], before: &str, after: &str) -> bool {
    if let Some(new) = tls(after) {
        let weaker = tls(before).is_some_and(|old| new < old) || new < (1, 2);
        let cap = path
            .iter()
            .flat_map(|key| words(key))
            .any(|word| word.starts_with("max"));
        return weaker || cap;
    }
    let plain: String = after
        .to_lowercase()
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .collect();
    let words: Vec<String> = path.iter().flat_map(|key| words(key)).collect();
    if has(&words, &["log", "logging", "logger", "loglevel"]) && has(&words, &["level", "verbosity", "loglevel"]) {
        return !matches!(plain.as_str(), "info" | "notice" | "warn" | "warning" | "error");
    }
    if WEAK_VALUES.contains(&plain.as_str()) {
        return true;
    }
    let about = has(&words, &PROTECTIVE) || has(&words, &PERMISSIVE) || has(&words, &INVERTERS);
    about && (!STRONG_VALUES.contains(&plain.as_str()) || has(&words, &INVERTERS) || has(&words, &PERMISSIVE))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> Vec<String> {
        text.split('.').map(str::to_owned).collect()
    }

    #[test]
    fn switches_have_a_safe_side() {
        for (key, safe) in [
            ("debug", false),
            ("allow_any_origin", false),
            ("verbose_errors", false),
            ("disable_auth", false),
            ("http.skipTlsVerify", false),
            ("auth.enabled", true),
            ("verify_ssl", true),
            ("csrfProtection", true),
            ("storage_encrypted", true),
            ("block_public_acls", true),
            ("fraud_detection", true),
            ("prevent_destroy", true),
            ("public_network_access_enabled", false),
            ("allow_insecure_tls", false),
        ] {
            assert!(!weakens_switch(&path(key), safe), "{key}");
            assert!(weakens_switch(&path(key), !safe), "{key}");
        }
        for unclear in ["readonly_root_filesystem", "require_admin_approval", "allow_tls_only"] {
            assert!(weakens_switch(&path(unclear), false), "{unclear}");
        }
        assert!(weakens_switch(&path("disable_debug"), true) && weakens_switch(&path("disable_debug"), false));
        assert!(!weakens_switch(&path("feature.on_sale"), true) && !weakens_switch(&path("feature.on_sale"), false));
    }

    #[test]
    fn numbers_and_words_have_one_too() {
        assert!(!weakens_number(&path("password.min_length"), 8.0, 12.0));
        assert!(weakens_number(&path("password.min_length"), 12.0, 8.0));
        assert!(weakens_number(&path("deletion_window_in_days"), 30.0, 7.0));
        assert!(!knows_number(&path("publicly_shared")) && knows_number(&path("deletion_window_in_days")));
        assert!(weakens_number(&path("session_ttl"), 60.0, 6000.0));
        assert!(weakens_number(&path("session.timeout_minutes"), 15.0, 600.0));
        assert!(weakens_number(&path("max_size"), 10.0, 20.0) && !weakens_number(&path("max_size"), 20.0, 10.0));
        assert!(weakens_number(&path("request_timeout"), 30.0, 0.0));
        assert!(weakens_number(&path("file_mode"), 640.0, 777.0));
        assert!(!weakens_number(&path("backend_timeout_ms"), 3000.0, 4000.0));
        assert!(!weakens_word(&path("tls.minimum"), "TLSv1_0", "TLSv1_2"));
        assert!(weakens_word(&path("tls.minimum"), "TLSv1_3", "TLSv1_2"));
        assert!(weakens_word(&path("tls.minimum"), "x", "TLSv1_1"));
        assert!(weakens_word(&path("auth.mode"), "strict", "none"));
        assert!(weakens_word(&path("auth.mode"), "strict", "custom"));
        assert!(!weakens_word(&path("auth.mode"), "optional", "required"));
        assert!(weakens_word(&path("cache"), "memory", "off"));
        assert!(!weakens_word(&path("cache"), "memory", "redis"));
    }
}
