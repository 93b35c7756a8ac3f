use super::*;
use holdpoint_schemas::finding::{Component, FindingClass, FindingDetails, Fingerprint, Severity, VexStatus};

fn finding(rule: &str, aliases: &[&str], purl: &str) -> Finding {
    Finding {
        fingerprint: Fingerprint::of([rule]),
        scanner: "s".to_owned(),
        rule: rule.to_owned(),
        title: String::new(),
        severity: Severity::High,
        class: FindingClass::Dependency,
        cwes: Vec::new(),
        aliases: aliases.iter().map(|alias| (*alias).to_owned()).collect(),
        component: Some(Component {
            purl: Some(purl.to_owned()),
            name: String::new(),
            version: None,
        }),
        location: None,
        iac_address: None,
        fixed_versions: Vec::new(),
        details: FindingDetails::default(),
    }
}

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn now() -> Timestamp {
    time("2026-01-01T00:00:00Z")
}

fn status(finding: &Finding, entries: &[VexEntry], scanned: &[&str]) -> Option<VexStatus> {
    statement_for(finding, entries, scanned, now()).map(|statement| statement.status)
}

fn openvex(statements: &str) -> Vec<VexEntry> {
    let text = format!(
        r#"{{"@context":"https://openvex.dev/ns/v0.2.0","@id":"x","author":"kim","timestamp":"2025-01-01T00:00:00Z","version":1,
        "statements":[{statements}]}}"#
    );
    read_vex("v.json", text.as_bytes()).unwrap()
}

const PRODUCT: &str = r#"{"vulnerability":{"name":"CVE-2020-1","aliases":["GHSA-aaaa-bbbb-cccc"]},
    "products":[{"@id":"pkg:npm/a@1"}],"status":"not_affected","justification":"vulnerable_code_not_in_execute_path"}"#;

#[test]
fn a_statement_is_matched_by_alias_and_component() {
    let entries = openvex(PRODUCT);
    let statement = statement_for(
        &finding("X", &["ghsa-AAAA-bbbb-cccc"], "pkg:npm/a@1?x=y"),
        &entries,
        &[],
        now(),
    )
    .unwrap();
    assert_eq!(statement.status, VexStatus::NotAffected);
    assert_eq!(
        statement.justification.as_deref(),
        Some("vulnerable_code_not_in_execute_path")
    );
    assert_eq!(
        (statement.author.as_deref(), statement.at),
        (Some("kim"), Some(time("2025-01-01T00:00:00Z")))
    );
    for (rule, purl) in [
        ("CVE-2020-2", "pkg:npm/a@1"),
        ("CVE-2020-1", "pkg:npm/a@2"),
        ("CVE-2020-1", "pkg:pypi/a@1"),
    ] {
        assert_eq!(status(&finding(rule, &[], purl), &entries, &[]), None, "{rule} {purl}");
    }
}

#[test]
fn a_statement_about_a_component_of_another_product_says_nothing() {
    let entries = openvex(
        r#"{"vulnerability":"CVE-2020-1","products":[{"@id":"pkg:oci/app","subcomponents":[{"@id":"pkg:npm/a"}]}],
        "status":"fixed"}"#,
    );
    let finding = finding("CVE-2020-1", &[], "pkg:npm/a@1");
    assert_eq!(status(&finding, &entries, &[]), None);
    assert_eq!(status(&finding, &entries, &["pkg:oci/other@1"]), None);
    assert_eq!(
        status(&finding, &entries, &["pkg:oci/app@sha256:1"]),
        Some(VexStatus::Fixed)
    );
}

#[test]
fn the_latest_statement_counts_and_then_the_most_cautious() {
    let later = PRODUCT.replace(
        r#""status":"not_affected""#,
        r#""timestamp":"2025-06-01T00:00:00Z","status":"affected""#,
    );
    let finding = finding("CVE-2020-1", &[], "pkg:npm/a@1");
    assert_eq!(
        status(&finding, &openvex(&format!("{later},{PRODUCT}")), &[]),
        Some(VexStatus::Affected)
    );
    let same = PRODUCT.replace("not_affected", "under_investigation");
    assert_eq!(
        status(&finding, &openvex(&format!("{PRODUCT},{same}")), &[]),
        Some(VexStatus::UnderInvestigation)
    );
    let future = later.replace("2025-06", "2027-06");
    assert_eq!(
        status(&finding, &openvex(&format!("{future},{PRODUCT}")), &[]),
        Some(VexStatus::NotAffected)
    );
}

fn cyclonedx(until: &str) -> String {
    format!(
        r#"{{"bomFormat":"CycloneDX","specVersion":"1.6","metadata":{{"supplier":{{"name":"acme"}}}},
        "components":[{{"bom-ref":"c1","name":"a","purl":"pkg:npm/a@1"}}],"vulnerabilities":[{{"id":"CVE-2020-1",
        "affects":[{{"ref":"c1"}}],"analysis":{{"state":"false_positive","lastUpdated":"2025-01-01T00:00:00Z"}},
        "properties":[{{"name":"holdpoint:until","value":"{until}"}}]}},{{"id":"CVE-2020-9","affects":[{{"ref":"c1"}}]}}]}}"#
    )
}

#[test]
fn an_analysis_of_cyclonedx_holds_until_it_expires() {
    let finding = finding("CVE-2020-1", &[], "pkg:npm/a@1");
    let entries = read_vex("v", cyclonedx("2026-06-01T00:00:00Z").as_bytes()).unwrap();
    assert_eq!(
        (entries.len(), status(&finding, &entries, &[])),
        (1, Some(VexStatus::NotAffected))
    );
    assert_eq!(entries[0].statement.author.as_deref(), Some("acme"));
    let expired = read_vex("v", cyclonedx("2025-12-31T00:00:00Z").as_bytes()).unwrap();
    assert_eq!(status(&finding, &expired, &[]), None);
    assert!(read_vex("v", cyclonedx("some day").as_bytes()).is_err());
}

#[test]
fn a_report_that_is_more_cautious_keeps_its_own_statement() {
    let entries = openvex(PRODUCT);
    let mut findings = [
        finding("CVE-2020-1", &[], "pkg:npm/a@1"),
        finding("CVE-2020-1", &[], "pkg:npm/a@1"),
    ];
    let mut own = entries[0].statement.clone();
    own.status = VexStatus::Affected;
    findings[1].details.vex = Some(own);
    assert_eq!(apply(&mut findings, &entries, &[], now()), 1);
    let statuses = findings.map(|finding| finding.details.vex.unwrap().status);
    assert_eq!(statuses, [VexStatus::NotAffected, VexStatus::Affected]);
}

#[test]
fn bad_documents_are_refused() {
    let unfounded =
        r#"{"@context":"c","statements":[{"vulnerability":"CVE-1-1","products":["p"],"status":"not_affected"}]}"#;
    assert!(
        read_vex("v", unfounded.as_bytes())
            .unwrap_err()
            .message
            .contains("statement 1")
    );
    for text in [
        "",
        "{}",
        "<a/>",
        "[1]",
        "{\"statements\":[{\"vulnerability\":",
        "{\"statements\":[{\"status\":\"safe\"}]}",
    ] {
        assert!(read_vex("v", text.as_bytes()).is_err(), "{text}");
    }
}
