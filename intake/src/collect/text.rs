//! Text of findings: bounded, on one line, comparable, and without secrets.

use holdpoint_schemas::finding::{Component, Severity};

/// Longest title in characters: one line for people.
const MAX_TITLE: usize = 300;
/// Longest id, version or name in characters.
const MAX_IDENTIFIER: usize = 200;
/// Longest line that is compared, in bytes: minified files have lines of megabytes.
const MAX_LINE: usize = 4096;

/// The first non-empty line, without control characters, bounded.
pub fn one_line(text: &str) -> String {
    let line = text
        .lines()
        .map(str::trim)
        .find(|line| !line.is_empty())
        .unwrap_or_default();
    clip(line, MAX_TITLE)
}

/// An id, version or name: one line, bounded shorter.
pub fn identifier(text: &str) -> String {
    clip(text.trim(), MAX_IDENTIFIER)
}

fn clip(text: &str, max: usize) -> String {
    let mut chars = text.chars().filter(|c| !c.is_control());
    let mut clipped: String = chars.by_ref().take(max).collect();
    if chars.next().is_some() {
        clipped.push('…');
    }
    clipped
}

/// The text without white space: reformatting doesn't change it.
pub fn without_space(text: &str) -> String {
    start(text).chars().filter(|c| !c.is_whitespace()).collect()
}

/// The text without white space and without what may be a secret: quoted text, and what follows
/// `=` or `:`. A fingerprint is a digest, and a short secret could be guessed from it.
pub fn without_literals(text: &str) -> String {
    let mut kept = String::new();
    for c in start(text).chars().filter(|c| !c.is_whitespace()) {
        kept.push(c);
        if matches!(c, '"' | '\'' | '`' | '=' | ':') {
            return if may_hold_a_key(&kept) { String::new() } else { kept };
        }
    }
    // Nothing marks where a value begins: then no part of the line is safe to keep.
    String::new()
}

/// Whether a part of the text could be a key itself, for example one that is a field's name: as long as the shortest
/// keys in use, with digits among letters.
fn may_hold_a_key(text: &str) -> bool {
    let mut runs = text.split(|c: char| !c.is_ascii_alphanumeric());
    runs.any(|run| run.len() >= 16 && run.contains(|c: char| c.is_ascii_digit()))
}

fn start(text: &str) -> &str {
    let mut end = text.len().min(MAX_LINE);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

/// `CWE-89` from `CWE-89: SQL injection`, `cwe89`, `external/cwe/cwe-089` or `89`.
pub fn cwe(text: &str) -> Option<String> {
    let lower = text.trim().to_ascii_lowercase();
    let after = match lower
        .rfind("cwe-")
        .map(|at| at + 4)
        .or_else(|| lower.rfind("cwe").map(|at| at + 3))
    {
        Some(at) => lower.get(at..)?,
        None if lower.chars().all(|c| c.is_ascii_digit()) => &lower,
        None => return None,
    };
    let digits: String = after.chars().take_while(char::is_ascii_digit).take(6).collect();
    let number: u32 = digits.parse().ok()?;
    (number > 0).then(|| format!("CWE-{number}"))
}

/// Severity from the words that tools use.
pub fn severity(word: &str) -> Severity {
    match word.trim().to_ascii_lowercase().as_str() {
        "critical" | "blocker" => Severity::Critical,
        "high" | "error" | "important" => Severity::High,
        "medium" | "moderate" | "warning" => Severity::Medium,
        "low" | "minor" => Severity::Low,
        "info" | "informational" | "information" | "note" | "none" | "negligible" | "trace" => Severity::Info,
        _ => Severity::Unknown,
    }
}

/// Severity of a CVSS base score (CVSS v3.1 specification, section 5).
pub fn cvss_band(score: f64) -> Severity {
    match score {
        s if !(0.0..=10.0).contains(&s) => Severity::Unknown,
        s if s >= 9.0 => Severity::Critical,
        s if s >= 7.0 => Severity::High,
        s if s >= 4.0 => Severity::Medium,
        s if s > 0.0 => Severity::Low,
        _ => Severity::Info,
    }
}

/// Whether an id names a published advisory.
pub fn is_advisory_id(id: &str) -> bool {
    const PREFIXES: [&str; 8] = ["CVE-", "GHSA-", "PYSEC-", "RUSTSEC-", "GO-", "MAL-", "OSV-", "DSA-"];
    PREFIXES.iter().any(|prefix| {
        id.get(..prefix.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
            && id
                .get(prefix.len()..)
                .is_some_and(|rest| rest.contains('-') || rest.len() > 3)
            && !id.contains(char::is_whitespace)
    })
}

/// What names a package whatever its version: its purl without version, else its name.
pub fn package_key(component: &Component) -> String {
    let key = component.purl.as_deref().unwrap_or(&component.name);
    let key = key.split(['?', '#']).next().unwrap_or(key);
    // A scope may begin with `@`, so a version is what follows an `@` after the last slash.
    let version_at = key.rfind('@').filter(|at| *at > key.rfind('/').unwrap_or(0));
    version_at
        .and_then(|at| key.get(..at))
        .unwrap_or(key)
        .to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cwes_are_read_in_every_spelling() {
        for text in ["CWE-89: SQL injection", "cwe89", "external/cwe/cwe-089", "89", "CWE-89"] {
            assert_eq!(cwe(text).as_deref(), Some("CWE-89"), "{text}");
        }
        assert_eq!(cwe("security"), None);
        assert_eq!(cwe("CWE-noinfo"), None);
    }

    #[test]
    fn a_secret_leaves_no_trace_in_what_is_compared() {
        assert_eq!(without_literals("const  t = \"hunter2\""), "constt=");
        assert_eq!(without_literals("hunter2"), "");
        assert_eq!(without_literals("call('hunter2')"), "call('");
        assert_eq!(without_literals("AKIAIOSFODNN7EXAMPLE: staging"), "");
        assert_eq!(
            without_literals("productionAwsSecretKey = x"),
            "productionAwsSecretKey="
        );
    }

    #[test]
    fn a_title_is_one_bounded_line() {
        assert_eq!(one_line("\n  a\u{1b}[31mb\nc"), "a[31mb");
        assert_eq!(one_line(&"x".repeat(900)).chars().count(), 301);
    }

    #[test]
    fn a_package_key_has_no_version() {
        let key = |purl: &str| {
            package_key(&Component {
                purl: Some(purl.to_owned()),
                name: String::new(),
                version: None,
            })
        };
        assert_eq!(key("pkg:pypi/urllib3@1.26.17"), "pkg:pypi/urllib3");
        assert_eq!(key("pkg:npm/@babel/core@7.0.0?x=y"), "pkg:npm/@babel/core");
        assert_eq!(key("pkg:npm/@babel/core"), "pkg:npm/@babel/core");
    }

    #[test]
    fn a_long_line_is_cut_at_a_character() {
        assert!(without_space(&"é".repeat(5000)).len() <= MAX_LINE);
    }

    #[test]
    fn advisory_ids_are_told_from_rules() {
        assert!(is_advisory_id("CVE-2021-44228") && is_advisory_id("GHSA-34jh-p97f-mpxf"));
        assert!(!is_advisory_id("B608") && !is_advisory_id("go-vet") && !is_advisory_id("CVE-2020-1 (x)"));
    }
}
