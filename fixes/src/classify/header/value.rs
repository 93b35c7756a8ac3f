//! Which values of a security header protect, and which changes of one don't take protection back
//! (OWASP Secure Headers; CSP Level 3; RFC 6797 for HSTS; RFC 9111 for Cache-Control).

use std::collections::BTreeMap;

/// Shortest HSTS age that protects at all, in seconds: a day.
const MIN_HSTS_AGE: u64 = 86_400;

/// Values from weakest to strongest; none but these protects.
const RANKED: [(&str, &[&str]); 10] = [
    ("x-content-type-options", &["nosniff"]),
    ("x-frame-options", &["sameorigin", "deny"]),
    ("x-xss-protection", &["1; mode=block", "0"]),
    ("x-permitted-cross-domain-policies", &["none"]),
    ("x-download-options", &["noopen"]),
    (
        "referrer-policy",
        &[
            "strict-origin-when-cross-origin",
            "strict-origin",
            "same-origin",
            "no-referrer",
        ],
    ),
    (
        "cross-origin-opener-policy",
        &["same-origin-allow-popups", "same-origin"],
    ),
    ("cross-origin-embedder-policy", &["credentialless", "require-corp"]),
    ("cross-origin-resource-policy", &["same-site", "same-origin"]),
    ("x-dns-prefetch-control", &["off"]),
];

/// Whether the new value protects and takes nothing back of what the old one did.
pub(super) fn is_no_weaker(header: &str, before: Option<&str>, after: &str) -> bool {
    let (before, after) = (
        before.map(|text| text.trim().to_lowercase()),
        after.trim().to_lowercase(),
    );
    let before = before.as_deref();
    if let Some((_, values)) = RANKED.iter().find(|(name, _)| *name == header) {
        let rank = |value: &str| values.iter().position(|known| *known == value);
        return rank(&after).is_some_and(|new| before.and_then(rank).is_none_or(|old| new >= old));
    }
    match header {
        "strict-transport-security" => hsts(before, &after),
        "content-security-policy" | "content-security-policy-report-only" => csp(before, &after),
        "permissions-policy" => permissions(before, &after),
        "cache-control" => cache(before, &after),
        _ => false,
    }
}

fn parts(value: &str, by: char) -> impl Iterator<Item = &str> {
    value.split(by).map(str::trim).filter(|part| !part.is_empty())
}

fn hsts(before: Option<&str>, after: &str) -> bool {
    let age = |value: &str| parts(value, ';').find_map(|part| part.strip_prefix("max-age=")?.parse::<u64>().ok());
    let known = |part: &str| part.starts_with("max-age=") || matches!(part, "includesubdomains" | "preload");
    let keeps = |old: &str| {
        parts(old, ';')
            .filter(|part| !part.starts_with("max-age="))
            .all(|part| after.contains(part))
    };
    let old_age = before.and_then(age).unwrap_or(0);
    parts(after, ';').all(known)
        && parts(after, ';').filter(|part| part.starts_with("max-age=")).count() == 1
        && age(after).is_some_and(|age| age >= MIN_HSTS_AGE && age >= old_age)
        && before.is_none_or(keeps)
}

fn cache(before: Option<&str>, after: &str) -> bool {
    let strong = |value: &str| parts(value, ',').any(|part| part == "no-store");
    let known = |part| {
        matches!(
            part,
            "no-store" | "no-cache" | "private" | "must-revalidate" | "max-age=0" | "proxy-revalidate"
        )
    };
    strong(after) && parts(after, ',').all(known) && before.is_none_or(|old| strong(old) || !old.contains("no-store"))
}

fn directives(value: &str) -> Option<BTreeMap<&str, Vec<&str>>> {
    let mut found = BTreeMap::new();
    for directive in parts(value, ';') {
        let mut words = directive.split_whitespace();
        let name = words.next()?;
        if found.insert(name, words.collect()).is_some() {
            return None;
        }
    }
    (!found.is_empty()).then_some(found)
}

fn csp(before: Option<&str>, after: &str) -> bool {
    let Some(new) = directives(after) else { return false };
    let loose = |source: &&str| {
        source.starts_with("'unsafe-")
            || source.contains('*')
            || matches!(
                *source,
                "data:" | "blob:" | "http:" | "https:" | "filesystem:" | "ws:" | "wss:"
            )
            || source.starts_with("http://")
    };
    let safe = |(name, sources): (&&str, &Vec<&str>)| {
        // Pictures and fonts as data are the customary exception.
        let data = matches!(*name, "img-src" | "font-src");
        sources
            .iter()
            .all(|source| !loose(source) || (data && *source == "data:"))
    };
    // A host that wasn't trusted before, a report to it, or a nonce that never changes.
    let known: Vec<&str> = before.unwrap_or_default().split([' ', ';', '\t']).collect();
    let own = |source: &&str| {
        known.contains(source) || *source == "data:" || (source.starts_with('\'') && !source.starts_with("'nonce-"))
    };
    if !new.iter().all(safe) || !new.values().flatten().all(own) {
        return false;
    }
    let Some(before) = before else {
        // A first policy that says nothing about scripts or frames protects from nothing.
        return ["default-src", "script-src", "frame-ancestors"]
            .iter()
            .any(|name| new.contains_key(name));
    };
    let Some(old) = directives(before) else { return false };
    // What falls back to `default-src` widens when the new directive says more than that one.
    let fallback = old.get("default-src");
    let narrower = |name: &str, sources: &[&str]| match old.get(name).or(fallback.filter(|_| name.ends_with("-src"))) {
        Some(old) => sources.iter().all(|source| old.contains(source) || *source == "'none'"),
        None => true,
    };
    old.keys().all(|name| new.contains_key(name)) && new.iter().all(|(name, sources)| narrower(name, sources))
}

fn permissions(before: Option<&str>, after: &str) -> bool {
    let features = |value: &str| -> BTreeMap<String, String> {
        let pairs = parts(value, ',').filter_map(|part| part.split_once('='));
        pairs
            .map(|(name, list)| (name.trim().to_owned(), list.trim().to_owned()))
            .collect()
    };
    let new = features(after);
    let closed = |list: &String| list == "()" || list == "(self)";
    let kept = |(name, list): (&String, &String)| new.get(name).is_some_and(|now| now == list || now == "()");
    !new.is_empty() && new.values().all(closed) && before.is_none_or(|old| features(old).iter().all(kept))
}

#[cfg(test)]
mod tests {
    use super::is_no_weaker;

    #[test]
    fn a_value_must_protect() {
        for (header, value) in [
            ("strict-transport-security", "max-age=31536000; includeSubDomains"),
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("content-security-policy", "default-src 'self'; img-src 'self' data:"),
            ("referrer-policy", "no-referrer"),
            ("permissions-policy", "camera=(), microphone=()"),
            ("cache-control", "no-store"),
        ] {
            assert!(is_no_weaker(header, None, value), "{header}: {value}");
        }
        for (header, value) in [
            ("strict-transport-security", "max-age=0"),
            ("strict-transport-security", "max-age=31536000; max-age=0"),
            ("x-content-type-options", "sniff"),
            ("x-frame-options", "ALLOWALL"),
            ("content-security-policy", "default-src 'self' 'unsafe-inline'"),
            ("content-security-policy", "default-src *"),
            ("content-security-policy", "script-src https:"),
            ("content-security-policy", "img-src 'self'"),
            ("content-security-policy", "script-src https://evil.example"),
            (
                "content-security-policy",
                "default-src 'none'; report-uri https://evil.example/x",
            ),
            ("content-security-policy", "script-src 'nonce-abc'"),
            ("referrer-policy", "unsafe-url"),
            ("permissions-policy", "camera=*"),
            ("cache-control", "public, max-age=600"),
            ("cross-origin-opener-policy", "unsafe-none"),
            ("x-anything", "1"),
        ] {
            assert!(!is_no_weaker(header, None, value), "{header}: {value}");
        }
    }

    #[test]
    fn a_change_takes_nothing_back() {
        let csp = "content-security-policy";
        assert!(is_no_weaker(
            csp,
            Some("default-src 'self' 'unsafe-inline'"),
            "default-src 'self'"
        ));
        assert!(!is_no_weaker(
            csp,
            Some("default-src 'self'"),
            "default-src 'self' evil.example"
        ));
        assert!(!is_no_weaker(
            csp,
            Some("default-src 'self'"),
            "default-src 'self'; script-src evil.example"
        ));
        assert!(!is_no_weaker(
            csp,
            Some("default-src 'self'; frame-ancestors 'none'"),
            "default-src 'self'"
        ));
        let hsts = "strict-transport-security";
        assert!(is_no_weaker(hsts, Some("max-age=86400"), "max-age=31536000"));
        assert!(!is_no_weaker(hsts, Some("max-age=31536000"), "max-age=86400"));
        assert!(!is_no_weaker(
            hsts,
            Some("max-age=86400; includeSubDomains"),
            "max-age=86400"
        ));
        assert!(!is_no_weaker("x-frame-options", Some("DENY"), "SAMEORIGIN"));
        assert!(is_no_weaker("x-frame-options", Some("ALLOWALL"), "SAMEORIGIN"));
    }
}
