//! Scanner reports: counts per format.

use holdpoint_intake::report::{NoSource, ReportContext, read_report};
use std::collections::BTreeMap;

use super::corpus;

/// The parsers of the corpus whose formats are read; the others come with their formats.
const READ: [&str; 13] = [
    "bandit",
    "brakeman",
    "checkov",
    "github_sast",
    "gitlab_sast",
    "gosec",
    "kics",
    "npm_audit_7_plus",
    "sarif",
    "semgrep",
    "semgrep_pro",
    "terrascan",
    "tfsec",
];

#[test]
fn counts_agree_with_the_corpus() {
    let Some(corpora) = corpus("findings") else { return };
    let cases = std::fs::read_to_string(corpora.join("cases.jsonl")).unwrap();
    let mut rates: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    let mut wrong = Vec::new();
    for line in cases.lines() {
        let case: serde_json::Value = serde_json::from_str(line).unwrap();
        let (parser, file) = (case["parser"].as_str().unwrap(), case["file"].as_str().unwrap());
        let Some(count) = case["count"].as_u64() else { continue };
        let bytes = std::fs::read(corpora.join("scans").join(file)).unwrap();
        let context = ReportContext {
            repo: "corpus",
            file,
            source: &NoSource,
            secret_key: None,
        };
        let result = read_report(&bytes, &context);
        let found = result.as_ref().map(|report| report.findings.len() as u64);
        let rate = rates.entry(parser.to_owned()).or_default();
        rate.1 += 1;
        if found.as_ref().ok() == Some(&count) {
            rate.0 += 1;
        } else if READ.contains(&parser) {
            wrong.push(format!("{file}: {count} wanted, got {found:?}"));
        } else if result.is_ok() {
            println!("{parser}: {file}: {count} in the corpus, we read {found:?}");
        }
    }
    for (parser, (right, all)) in &rates {
        let mark = if READ.contains(&parser.as_str()) {
            "read"
        } else {
            "not yet"
        };
        println!("{parser:<24} {right}/{all} ({mark})");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(
        READ.iter().all(|parser| rates.contains_key(*parser)),
        "a format has no case"
    );
}
