//! Scanner reports: counts, severities and components per format.

use holdpoint_intake::report::{NoSource, Report, ReportContext, read_report};
use holdpoint_schemas::finding::{Finding, FindingClass, Severity};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::corpus;

/// The corpus' names of formats about code.
const CODE: [&str; 11] = [
    "bandit",
    "brakeman",
    "checkov",
    "github_sast",
    "gitlab_sast",
    "gosec",
    "kics",
    "sarif",
    "semgrep",
    "semgrep_pro",
    "terrascan",
];
/// Its names of formats about components.
const COMPONENTS: [&str; 13] = [
    "anchore_grype",
    "cargo_audit",
    "cyclonedx",
    "dependency_check",
    "dependency_track",
    "github_vulnerability",
    "gitlab_container_scan",
    "gitlab_dep_scan",
    "govulncheck",
    "npm_audit",
    "npm_audit_7_plus",
    "osv_scanner",
    "snyk",
];
/// The corpus counts each `osv` message here, some of them twice; 40 of the advisories have a `finding`.
const ADVISORIES_COUNTED: (&str, u64, u64) = ("govulncheck/issue_14642.json", 201, 40);
/// The corpus has this report twice, with another count for another mode of its own reader: both can't be met.
const TWO_COUNTS: (&str, u64) = ("anchore_grype/same_cve_different_paths.json", 2);

fn read(folder: &Path, file: &str) -> Result<Report, String> {
    let bytes = std::fs::read(folder.join(file)).map_err(|error| error.to_string())?;
    let context = ReportContext {
        repo: "corpus",
        file,
        source: &NoSource,
        secret_key: None,
    };
    read_report(&bytes, &context).map_err(|error| error.to_string())
}

#[test]
fn counts_agree_with_the_corpus() {
    let Some(corpora) = corpus("findings") else { return };
    let cases = std::fs::read_to_string(corpora.join("cases.jsonl")).unwrap();
    let mut rates: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    let mut wrong = Vec::new();
    for line in cases.lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        let (parser, file) = (case["parser"].as_str().unwrap(), case["file"].as_str().unwrap());
        let listed = CODE.contains(&parser) || COMPONENTS.contains(&parser);
        let Some(count) = case["count"].as_u64() else { continue };
        if (file, count) == TWO_COUNTS {
            continue;
        }
        let count = match ADVISORIES_COUNTED {
            (name, counted, affected) if (name, counted) == (file, count) => affected,
            _ => count,
        };
        let found = read(&corpora.join("scans"), file).map(|report| report.findings.len() as u64);
        let rate = rates.entry(parser.to_owned()).or_default();
        rate.1 += 1;
        if found.as_ref().ok() == Some(&count) {
            rate.0 += 1;
        } else if listed {
            wrong.push(format!("{file}: {count} wanted, got {found:?}"));
        } else if found.is_ok() {
            println!("{parser}: {file}: {count} in the corpus, we read {found:?}");
        }
    }
    for (parser, (right, all)) in &rates {
        let listed = CODE.contains(&parser.as_str()) || COMPONENTS.contains(&parser.as_str());
        let mark = if listed { "read" } else { "not listed" };
        println!("{parser:<24} {right}/{all} ({mark})");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What the corpus says of single findings: component, version, severity and CVSS vector. Its reader fills in a
/// severity where a report has none, so ours may be unknown.
#[test]
fn components_and_severities_agree_with_the_corpus() {
    let Some(corpora) = corpus("findings") else { return };
    let cases = std::fs::read_to_string(corpora.join("cases.jsonl")).unwrap();
    let (mut right, mut unknown, mut wrong) = (0, 0, Vec::new());
    for line in cases.lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        let file = case["file"].as_str().unwrap();
        if !COMPONENTS.contains(&case["parser"].as_str().unwrap()) {
            continue;
        }
        let report = read(&corpora.join("scans"), file).unwrap();
        for field in case["fields"].as_array().unwrap() {
            let index = usize::try_from(field[0].as_u64().unwrap()).unwrap();
            let (name, wanted) = (field[1].as_str().unwrap(), &field[2]);
            let Some(finding) = report.findings.get(index) else {
                wrong.push(format!("{file}: no finding {index}"));
                continue;
            };
            match says(finding, name, wanted) {
                Some(true) => right += 1,
                Some(false) if name == "severity" && finding.severity == Severity::Unknown => unknown += 1,
                Some(false) => wrong.push(format!("{file} [{index}] {name}: {wanted} wanted, got {finding:?}")),
                None => {}
            }
        }
    }
    println!(
        "fields: {right} right, {unknown} severities that only the corpus' reader fills in, {} wrong",
        wrong.len()
    );
    for line in &wrong {
        println!("{}", line.chars().take(600).collect::<String>());
    }
    assert!(wrong.len() * 20 <= right, "more than one in twenty is wrong");
}

fn says(finding: &Finding, field: &str, wanted: &Value) -> Option<bool> {
    let component = finding.component.as_ref();
    let text = wanted.as_str();
    Some(match field {
        "component_name" => component.map(|c| c.name.as_str()) == text,
        "component_version" => component.and_then(|c| c.version.as_deref()) == text,
        "severity" => text.is_some_and(|word| word.eq_ignore_ascii_case(finding.severity.as_str())),
        "cvssv3" | "cvssv4" => {
            // Where a report leaves out the prefix or says 3.0, the corpus' reader writes 3.1.
            let same = |vector: &String| {
                Some(vector.replace("CVSS:3.0/", "CVSS:3.1/")) == text.map(|t| t.replace("CVSS:3.0/", "CVSS:3.1/"))
            };
            finding.details.cvss_vectors.iter().any(same)
        }
        "vuln_id_from_tool" => Some(finding.rule.as_str()) == text,
        "cwe" => {
            let digits = |text: &str| text.trim_start_matches("CWE-").to_owned();
            let number = text.map(digits).or_else(|| wanted.as_u64().map(|n| n.to_string()));
            finding.cwes.iter().any(|cwe| Some(digits(cwe)) == number)
        }
        _ => return None,
    })
}

#[test]
fn one_trivy_scan_in_two_formats_gives_the_same_findings() {
    let Some(folder) = corpus("findings/trivy") else { return };
    let facts = |file: &str| -> BTreeSet<_> {
        let report = read(&folder, file).unwrap();
        let one = |finding: Finding| {
            let component = finding.component.unwrap();
            let (name, version) = (component.name, component.version);
            let path = finding.location.map(|location| location.path);
            (
                finding.rule,
                name,
                version,
                finding.severity,
                finding.class.as_str(),
                finding.fixed_versions,
                path,
            )
        };
        report.findings.into_iter().map(one).collect()
    };
    let json = facts("alpine-310.json");
    assert_eq!(json.len(), 4);
    assert_eq!(json, facts("alpine-310.sarif"));
}

#[test]
fn every_trivy_report_is_read_whole() {
    let Some(folder) = corpus("findings/trivy") else { return };
    for entry in std::fs::read_dir(&folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if !name.ends_with(".json") {
            continue;
        }
        let document: Value = serde_json::from_slice(&std::fs::read(folder.join(&name)).unwrap()).unwrap();
        let lists = ["Vulnerabilities", "Misconfigurations", "Secrets"];
        let results = document["Results"].as_array().cloned().unwrap_or_default();
        let count = results
            .iter()
            .flat_map(|result| lists.map(|list| result[list].as_array().map_or(0, Vec::len)));
        let report = read(&folder, &name).unwrap();
        assert_eq!(report.findings.len(), count.sum::<usize>(), "{name}");
        let known = |finding: &Finding| {
            let component = finding.component.as_ref();
            finding.class != FindingClass::Dependency || component.is_some_and(|component| component.purl.is_some())
        };
        assert!(report.findings.iter().all(known), "{name}: a component without a purl");
    }
}

#[test]
fn no_cut_off_report_of_the_corpus_passes() {
    let Some(corpora) = corpus("findings") else { return };
    let cases = std::fs::read_to_string(corpora.join("cases.jsonl")).unwrap();
    for line in cases.lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        let file = case["file"].as_str().unwrap();
        // A stream without an end may be cut off between two messages.
        let stream = file == ADVISORIES_COUNTED.0;
        if stream || !COMPONENTS.contains(&case["parser"].as_str().unwrap()) {
            continue;
        }
        let bytes = std::fs::read(corpora.join("scans").join(file)).unwrap();
        let whole = bytes.trim_ascii_end();
        for part in 1..8 {
            let cut = whole.get(..whole.len() * part / 8).unwrap_or_default();
            let context = ReportContext {
                repo: "corpus",
                file: "report",
                source: &NoSource,
                secret_key: None,
            };
            let error = read_report(cut, &context).expect_err(file);
            assert!(
                error.source_error().is_some_and(|error| error.position.is_some()),
                "{file}: {error}"
            );
        }
    }
}
