//! Which changes of a setting are known to make it safer. `polarity` says what may weaken; here the
//! burden of proof is the other way round: a setting whose safe direction isn't known stays logic,
//! and so does one with a word in its name that nobody here knows.

use super::polarity::{self, words};

/// On is safer.
const SAFER_ON: [&str; 40] = [
    "verify",
    "verification",
    "validate",
    "validation",
    "auth",
    "authentication",
    "authorization",
    "tls",
    "mtls",
    "ssl",
    "https",
    "secure",
    "csrf",
    "xsrf",
    "xss",
    "hsts",
    "csp",
    "nosniff",
    "encrypt",
    "encrypted",
    "encryption",
    "httponly",
    "samesite",
    "mfa",
    "2fa",
    "totp",
    "webauthn",
    "autoescape",
    "sanitize",
    "audit",
    "auditing",
    "signature",
    "signatures",
    "signing",
    "lockout",
    "captcha",
    "throttling",
    "waf",
    "sandbox",
    "password",
];
/// Off is safer.
const SAFER_OFF: [&str; 22] = [
    "debug",
    "debugger",
    "verbose",
    "stacktrace",
    "stacktraces",
    "traceback",
    "tracebacks",
    "autoindex",
    "insecure",
    "unsafe",
    "anonymous",
    "guest",
    "unauthenticated",
    "unencrypted",
    "unverified",
    "unsigned",
    "plaintext",
    "expose",
    "wildcard",
    "introspection",
    "playground",
    "phpinfo",
];
/// Names of several words that are safer off.
const SAFER_OFF_PHRASES: [&[&str]; 13] = [
    &["directory", "listing"],
    &["dir", "listing"],
    &["list", "directories"],
    &["stack", "trace"],
    &["stack", "traces"],
    &["allow", "any", "origin"],
    &["allow", "any", "origins"],
    &["allow", "all", "origins"],
    &["allow", "all", "hosts"],
    &["trust", "all"],
    &["trust", "any"],
    &["allow", "http"],
    &["display", "errors"],
];
/// Turn the meaning around.
const INVERTERS: [&str; 7] = ["disable", "disabled", "skip", "bypass", "ignore", "no", "without"];
/// Words that say what a switch is about and leave its direction alone.
const NEUTRAL: [&str; 50] = [
    "enable",
    "enabled",
    "use",
    "require",
    "required",
    "requires",
    "enforce",
    "enforced",
    "strict",
    "peer",
    "peers",
    "cert",
    "certs",
    "certificate",
    "certificates",
    "client",
    "server",
    "host",
    "hostname",
    "cookie",
    "cookies",
    "session",
    "only",
    "protection",
    "mode",
    "policy",
    "level",
    "error",
    "errors",
    "endpoint",
    "endpoints",
    "mapping",
    "toolbar",
    "show",
    "include",
    "details",
    "access",
    "login",
    "logins",
    "logging",
    "log",
    "version",
    "headers",
    "header",
    "token",
    "tokens",
    "at",
    "rest",
    "in",
    "transit",
];
/// Last keys that say nothing themselves: what is switched is their parent.
const BARE: [&str; 7] = [
    "enabled", "enable", "enforce", "enforced", "required", "require", "mode",
];
/// What a bound must be about to be one of protection: `shipping.max` isn't.
const BOUNDED: [&str; 17] = [
    "session", "sessions", "login", "logins", "cookie", "cookies", "auth", "idle", "jwt", "otp", "lockout", "bcrypt",
    "pbkdf2", "rsa", "audit", "password", "tls",
];
/// Bounds from below.
const HIGHER: [&str; 8] = [
    "min",
    "minimum",
    "bits",
    "keysize",
    "rounds",
    "iterations",
    "retention",
    "entropy",
];
/// Bounds from above.
const LOWER: [&str; 12] = [
    "max",
    "maximum",
    "ttl",
    "timeout",
    "expiry",
    "expires",
    "expiration",
    "lifetime",
    "validity",
    "attempts",
    "failures",
    "tries",
];
/// What else a bound's name may say: units and what is counted.
const MEASURES: [&str; 22] = [
    "length", "age", "seconds", "secs", "s", "minutes", "mins", "hours", "days", "ms", "count", "key", "hash", "log",
    "logs", "failed", "server", "servlet", "token", "access", "security", "user",
];
/// Words of values from which a step to a word of protection leads up.
const OPEN_VALUES: [&str; 18] = [
    "none",
    "off",
    "disable",
    "disabled",
    "never",
    "allow",
    "any",
    "permissive",
    "insecure",
    "unsafe",
    "optional",
    "plaintext",
    "plain",
    "report",
    "warn",
    "dryrun",
    "lax",
    "prefer",
];
/// Values that protect.
const CLOSED_VALUES: [&str; 14] = [
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
    "verify",
    "reject",
];

/// A setting's path as single keys: `server.session.cookie.secure` in a properties file is four.
fn segments(path: &[String]) -> Vec<Vec<String>> {
    let keys = path.iter().flat_map(|key| key.split('.'));
    keys.map(words).filter(|words| !words.is_empty()).collect()
}

/// The words that name what is set: the last key's, and its parent's when that is a bare `enabled`.
fn name(path: &[String]) -> Vec<String> {
    let segments = segments(path);
    let bare = |key: &[String]| key.iter().all(|word| BARE.contains(&word.as_str()));
    match segments.as_slice() {
        [.., parent, last] if bare(last) => [parent.as_slice(), last].concat(),
        [.., last] => last.clone(),
        [] => Vec::new(),
    }
}

/// `verifySSL` and `httpOnly` have two words more than these lists: they are read as one.
fn joined(name: Vec<String>) -> Vec<String> {
    let mut done: Vec<String> = Vec::with_capacity(name.len());
    for word in name {
        match (done.last().map(String::as_str), word.as_str()) {
            (Some("http"), "only") | (Some("same"), "site") | (Some("auto"), "escape" | "index") => {
                if let Some(last) = done.last_mut() {
                    last.push_str(&word);
                }
            }
            _ => done.push(word),
        }
    }
    done
}

fn has(words: &[String], list: &[&str]) -> bool {
    words.iter().any(|word| list.contains(&word.as_str()))
}

/// The name without a phrase that is safer off, when it has one.
fn without_phrase(name: &[String]) -> Option<Vec<String>> {
    SAFER_OFF_PHRASES.iter().find_map(|phrase| {
        let at = name.windows(phrase.len()).position(|part| part == *phrase)?;
        let mut rest = name.to_vec();
        rest.drain(at..at + phrase.len());
        Some(rest)
    })
}

/// Whether switching to `on` is known to make it safer.
pub(super) fn switch(path: &[String], on: bool) -> bool {
    let name = joined(name(path));
    let (rest, phrase) = match without_phrase(&name) {
        Some(rest) => (rest, true),
        None => (name, false),
    };
    let understood = rest.iter().all(|word| {
        [&SAFER_ON[..], &SAFER_OFF, &INVERTERS, &NEUTRAL]
            .iter()
            .any(|list| list.contains(&word.as_str()))
            || word == "allow"
    });
    let opens = phrase || has(&rest, &SAFER_OFF);
    let allows = rest.first().is_some_and(|first| first == "allow");
    let inverted = has(&rest, &INVERTERS);
    let safe_on = match (opens, has(&rest, &SAFER_ON)) {
        // `allow_insecure_tls` is safer off; of any other name with both, nobody can tell.
        (true, both) => (!inverted && (allows || !both)).then_some(false),
        (false, true) => (!allows).then_some(!inverted),
        (false, false) => None,
    };
    // Elsewhere on the path a word may still turn it around: then it weakens.
    understood && safe_on == Some(on) && (phrase || !polarity::weakens_switch(path, on))
}

/// Whether a number that moves so is known to make it safer.
pub(super) fn number(path: &[String], before: f64, after: f64) -> bool {
    let segments = segments(path);
    let all: Vec<String> = segments.concat();
    let last = segments.last().map(Vec::as_slice).unwrap_or_default();
    let understood = last.iter().all(|word| {
        [&BOUNDED[..], &HIGHER, &LOWER, &MEASURES]
            .iter()
            .any(|list| list.contains(&word.as_str()))
    });
    let moves = match (has(last, &HIGHER), has(last, &LOWER)) {
        (true, false) => after > before,
        // What lasts shorter is safer; a lower limit of a password's length or of a work factor isn't.
        (false, true) => after < before && !has(&all, &["length", "lockout", "rounds", "password", "pbkdf2", "bcrypt"]),
        _ => false,
    };
    let attempts = has(last, &["attempts", "failures", "tries"]) && after < before && after >= 1.0;
    understood && has(&all, &BOUNDED) && (moves || attempts) && !polarity::weakens_number(path, before, after)
}

/// Whether a word that changes so is known to make it safer.
pub(super) fn word(path: &[String], before: &str, after: &str) -> bool {
    if polarity::weakens_word(path, before, after) {
        return false;
    }
    if polarity::tls(after).is_some() {
        return polarity::tls(before) < polarity::tls(after) && polarity::tls(before).is_some();
    }
    let plain = |text: &str| text.to_lowercase().replace(['-', '_'], "");
    let (old, new) = (plain(before), plain(after));
    let all = segments(path).concat();
    let level = has(&all, &["level", "loglevel", "verbosity"]) && has(&all, &["log", "logging", "logger", "loglevel"]);
    if level {
        // Debug logs hold what nobody should read; above `warn` incidents leave no trace.
        return matches!(old.as_str(), "debug" | "trace" | "all" | "verbose")
            && matches!(new.as_str(), "info" | "notice" | "warn" | "warning");
    }
    let name = joined(name(path));
    let understood = name
        .iter()
        .all(|word| SAFER_ON.contains(&word.as_str()) || NEUTRAL.contains(&word.as_str()));
    understood && has(&name, &SAFER_ON) && OPEN_VALUES.contains(&old.as_str()) && CLOSED_VALUES.contains(&new.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> Vec<String> {
        text.split('/').map(str::to_owned).collect()
    }

    #[test]
    fn a_switch_with_a_known_safe_side_is_safer_there_and_nowhere_else() {
        for (key, on) in [
            ("debug", false),
            ("debug_endpoints", false),
            ("http/verbose_errors", false),
            ("allow_any_origin", false),
            ("tls/verify", true),
            ("verify_ssl", true),
            ("http/skipTlsVerify", false),
            ("server.session.cookie.secure", true),
            ("server.session.cookie.http-only", true),
            ("session/cookie/httpOnly", true),
            ("autoindex", false),
            ("directory_listing", false),
            ("auth/required", true),
            ("require_auth", true),
            ("disable_auth", false),
            ("auth/enabled", true),
            ("csrfProtection", true),
            ("allow_insecure_tls", false),
            ("anonymous_access", false),
            ("encryption_at_rest", true),
            ("include_stacktrace", false),
        ] {
            assert!(switch(&path(key), on), "{key}");
            assert!(!switch(&path(key), !on), "{key}");
        }
    }

    #[test]
    fn a_switch_without_one_is_safer_on_neither_side() {
        for key in [
            "kyc",
            "aml",
            "sanctions_screening",
            "feature/enabled",
            "enabled",
            "access",
            "auth_cache",
            "audit/replica_reads",
            "force_2fa_exempt",
            "allow_refunds",
            "block_list",
            "open_banking",
            "disable_debug",
            "debug_requires_auth",
            "admin_approval",
            "maintenance_mode",
            "show_balance",
        ] {
            for on in [true, false] {
                assert!(!switch(&path(key), on), "{key} {on}");
            }
        }
    }

    #[test]
    fn numbers_need_a_bound_of_protection() {
        assert!(number(&path("session_ttl_minutes"), 1440.0, 60.0));
        assert!(number(&path("login/min_length"), 8.0, 14.0));
        assert!(number(&path("login/max_attempts"), 10.0, 5.0));
        assert!(number(&path("session/timeout_minutes"), 60.0, 15.0));
        for (key, before, after) in [
            ("pbkdf2_n", 600_000.0, 1.0),
            ("fee_percent", 5.0, -5.0),
            ("transfer_threshold", 100.0, 1e8),
            ("cap", 5.0, 5e6),
            ("workers", 4.0, 8.0),
            ("max_transfer", 100.0, 10.0),
            ("interest_rate", 5.0, 1.0),
            ("min_amount", 1.0, 5.0),
            ("session_ttl_minutes", 60.0, 0.0),
            ("login/max_length", 64.0, 6.0),
            ("bcrypt/max_rounds", 12.0, 4.0),
            ("login/min_length", 14.0, 8.0),
            ("lockout/ttl", 60.0, 1.0),
            ("days_kept", 365.0, 0.0),
        ] {
            assert!(!number(&path(key), before, after), "{key}");
        }
    }

    #[test]
    fn words_need_a_step_up_that_is_known() {
        for (key, before, after) in [
            ("tls/minimum", "TLSv1_0", "TLSv1_2"),
            ("log_level", "debug", "info"),
            ("auth/mode", "optional", "required"),
            ("cookie/samesite", "lax", "strict"),
        ] {
            assert!(word(&path(key), before, after), "{key}");
            assert!(!word(&path(key), after, before), "{key}");
        }
        for (key, before, after) in [
            ("hash", "argon2id", "crc32"),
            ("cipher", "aes-256-gcm", "null"),
            ("currency", "EUR", "JPY"),
            ("region", "eu-west-1", "cn-north-1"),
            ("mode", "enforcing", "monitor"),
            ("backend", "vault", "memory"),
            ("jwt/alg", "RS256", "HS256"),
            ("feature", "disabled", "enabled"),
            ("log_level", "info", "error"),
            ("tls_profile", "modern", "old"),
        ] {
            assert!(!word(&path(key), before, after), "{key}");
        }
    }
}
