//! Scanners' reports, advisories, VEX.

use holdpoint_intake::advisory::Advisories;
use holdpoint_intake::report::{NoSource, Report, ReportContext, groups, merge_duplicates, read_report};
use holdpoint_intake::{IntakeError, priority, vex};
use holdpoint_schemas::finding::Finding;

use crate::input::{files, texts};
use crate::oracle::{bounded, good, helpful, twice};

/// A report in any format: the content decides.
pub fn report(data: &[u8]) {
    if let Some(report) = read(data, None) {
        check(&report.findings);
        assert!(
            report.groups == groups(&report.findings),
            "groups that aren't the findings'"
        );
    }
}

/// Reports with secrets: a key tells secrets apart, and changes nothing else.
pub fn secrets(data: &[u8]) {
    let (Some(without), Some(with)) = (read(data, None), read(data, Some(b"key".as_slice()))) else {
        return;
    };
    check(&with.findings);
    assert!(
        with.findings.len() >= without.findings.len(),
        "findings that a key makes one"
    );
    assert!(
        without.findings.iter().all(|finding| finding.details.secret.is_none()),
        "a trace of a secret without a key"
    );
}

fn read(data: &[u8], secret_key: Option<&[u8]>) -> Option<Report> {
    let context = ReportContext {
        repo: "shop",
        file: "report",
        source: &NoSource,
        secret_key,
    };
    let read = || read_report(data, &context).map_err(|error| said(&error));
    twice(read).ok()
}

fn said(error: &IntakeError) -> String {
    if let Some(error) = error.source_error() {
        helpful(error);
    }
    error.to_string()
}

fn check(findings: &[Finding]) {
    for finding in findings {
        bounded(finding);
        let _ = priority::severity_conflict(finding);
        let _ = priority::cvss_tenths(finding);
        let _ = priority::cves(finding);
    }
    let merged = twice(|| merge_duplicates(findings.to_vec()));
    assert!(merged.len() <= findings.len(), "merging made findings");
    assert!(
        merge_duplicates(merged.clone()) == merged,
        "merging twice isn't merging once"
    );
    merged.iter().for_each(bounded);
}

/// VEX documents, held against findings.
pub fn vex(data: &[u8]) {
    let Some(entries) = good(vex::read_vex("vex.json", data)) else {
        return;
    };
    assert!(
        vex::read_vex("vex.json", data).is_ok_and(|again| again == entries),
        "two answers to one question"
    );
    let report = br#"[{"name":"urllib3","version":"1.26.17","vulns":[{"id":"PYSEC-2023-212","fix_versions":["1.26.18"],
        "aliases":["CVE-2023-45803"],"description":""}]}]"#;
    let Some(report) = read(report, None) else { return };
    let mut findings = report.findings;
    let (first, later) = (jiff::Timestamp::UNIX_EPOCH, jiff::Timestamp::MAX);
    for now in [first, later] {
        let noted = vex::apply(&mut findings, &entries, &["pkg:generic/shop@1"], now);
        assert!(noted <= findings.len(), "more notes than findings");
    }
}

/// OSV records (`*.json` but npm's lockfiles) and lockfiles.
pub fn advisory(data: &[u8]) {
    let files = files(data, "advisory.json");
    let is_lockfile = |name: &str| holdpoint_intake::advisory::is_lockfile(name);
    let records = files.iter().filter(|(name, _)| !is_lockfile(name));
    let advisories = match Advisories::parse(records.copied()) {
        Ok(advisories) => advisories,
        Err(error) => {
            said(&error);
            Advisories::default()
        }
    };
    let locks: Vec<(&str, &str)> = texts(data, "Cargo.lock")
        .into_iter()
        .filter(|(name, _)| is_lockfile(name))
        .collect();
    let matched = twice(|| advisories.match_lockfiles("shop", &locks).map_err(|error| said(&error)));
    if let Ok((findings, _)) = matched {
        check(&findings);
    }
}
