use super::*;
use holdpoint_schemas::finding::{FindingClass, Severity};

const URLLIB3: &str = r#"{
  "id": "GHSA-g4mx-q9vg-27p4", "aliases": ["CVE-2023-45803", "PYSEC-2023-212"],
  "summary": "urllib3's request body not stripped after redirect",
  "affected": [{"package": {"ecosystem": "PyPI", "name": "urllib3"},
    "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "2.0.0"}, {"fixed": "2.0.7"}]},
               {"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.26.18"}]}]}],
  "database_specific": {"severity": "MODERATE", "cwe_ids": ["CWE-200"]}
}"#;

fn advisories() -> Advisories {
    Advisories::parse([("u.json", URLLIB3.as_bytes())]).unwrap()
}

#[test]
fn a_vulnerable_pin_becomes_a_finding() {
    let files = [
        ("requirements.txt", "urllib3==1.26.17 --hash=sha256:aa\n"),
        ("README.md", "urllib3==1.0\n"),
    ];
    let (findings, skipped) = advisories().match_lockfiles("payments", &files).unwrap();
    assert!(skipped.is_empty());
    let [finding] = findings.as_slice() else {
        panic!("{findings:?}")
    };
    assert_eq!(finding.scanner, "osv-lockfile");
    assert_eq!(finding.rule, "GHSA-g4mx-q9vg-27p4");
    assert_eq!(finding.aliases, ["CVE-2023-45803", "PYSEC-2023-212"]);
    assert_eq!(
        (finding.severity, finding.class),
        (Severity::Medium, FindingClass::Dependency)
    );
    assert_eq!(finding.fixed_versions, ["1.26.18", "2.0.7"]);
    assert_eq!(
        finding.component.as_ref().unwrap().purl.as_deref(),
        Some("pkg:pypi/urllib3@1.26.17")
    );
    assert_eq!(finding.location.as_ref().unwrap().line, Some(1));
}

#[test]
fn the_fixed_version_is_no_finding() {
    let (findings, _) = advisories()
        .match_lockfiles("p", &[("requirements.txt", "urllib3==1.26.18\n")])
        .unwrap();
    assert!(findings.is_empty());
}

#[test]
fn the_fingerprint_survives_a_moved_line_and_another_vulnerable_version() {
    let print = |text: &str| {
        let (findings, _) = advisories()
            .match_lockfiles("p", &[("requirements.txt", text)])
            .unwrap();
        findings[0].fingerprint.clone()
    };
    assert_eq!(print("urllib3==1.26.17\n"), print("# more\nurllib3 == 1.26.16\n"));
}

#[test]
fn an_unreadable_lockfile_is_noted_and_harms_no_other() {
    let files = [
        ("package-lock.json", "{"),
        ("requirements.txt", "urllib3==1.26.17\nx>=1\nurllib3==oops\n"),
    ];
    let (findings, skipped) = advisories().match_lockfiles("p", &files).unwrap();
    assert_eq!(findings.len(), 1);
    assert_eq!(skipped.len(), 3, "{skipped:?}");
    assert!(skipped[0].starts_with("package-lock.json:1:"), "{skipped:?}");
}

#[test]
fn a_withdrawn_advisory_is_left_out_and_bad_ones_are_refused() {
    let withdrawn = URLLIB3.replacen('{', "{\"withdrawn\": \"2024-01-01T00:00:00Z\",", 1);
    assert!(
        Advisories::parse([("u.json", withdrawn.as_bytes())])
            .unwrap()
            .is_empty()
    );
    let twice = Advisories::parse([("a.json", URLLIB3.as_bytes()), ("b.json", URLLIB3.as_bytes())]);
    assert!(twice.unwrap_err().to_string().contains("also in `a.json`"));
    let error = Advisories::parse([("u.json", b"{\"id\": 5}".as_slice())]).unwrap_err();
    assert_eq!(error.source_error().unwrap().position.map(|p| p.0), Some(1));
}

#[test]
fn lockfiles_are_known_by_name() {
    assert!(is_lockfile("a/requirements-dev.txt") && is_lockfile("Cargo.lock") && is_lockfile("x/package-lock.json"));
    assert!(!is_lockfile("src/main.rs"));
}
